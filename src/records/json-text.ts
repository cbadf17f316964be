/** Strings as JSON text, for encoders that write records piece by piece. */

// What JSON must escape, and surrogates, which may be lone.
const MUST_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

/** The inside of a JSON string. Most need no escaping, and a test is far cheaper than `JSON.stringify`. */
export function escaped(text: string): string {
  return MUST_ESCAPE.test(text) ? JSON.stringify(text.toWellFormed()).slice(1, -1) : text
}

export function quote(text: string): string {
  return `"${escaped(text)}"`
}

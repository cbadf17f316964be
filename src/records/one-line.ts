// C0 and C1 controls, line and paragraph separators, zero-width characters and the marks that turn text around.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE.source, 'g')

/** One printable line: characters that could move a cursor, colour a terminal or hide text are written as `\u001b`. */
export function oneLine(text: string): string {
  if (!UNPRINTABLE.test(text)) return text
  return text.replace(EVERY_UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** JSON as Elasticsearch reads it: a key may come once, and a number is still the text that was sent. */

export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Parsed = null | boolean | string | NumberText | Parsed[] | Map<string, Parsed>

export class ParseFault extends Error {}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y
const SPACE = /[ \t\n\r]*/y

/** Throws a ParseFault for everything that is not one JSON value. */
export function parseStrict(text: string): Parsed {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0
  constructor(text: string) {
    this.#text = text
  }

  end(): void {
    this.#space()
    if (this.#at !== this.#text.length) throw new ParseFault(`unexpected text at ${this.#at}`)
  }

  value(depth: number): Parsed {
    if (depth > 1000) throw new ParseFault('nested too deeply')
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    const number = this.#match(NUMBER)
    if (number === undefined || number === '') throw new ParseFault(`unexpected token at ${this.#at}`)
    return new NumberText(number)
  }

  #object(depth: number): Map<string, Parsed> {
    const map = new Map<string, Parsed>()
    this.#at += 1
    this.#space()
    if (this.#take('}')) return map
    for (;;) {
      this.#space()
      const key = this.#string()
      if (map.has(key)) throw new ParseFault(`Duplicate field '${key}'`)
      this.#space()
      if (!this.#take(':')) throw new ParseFault(`expected : at ${this.#at}`)
      map.set(key, this.value(depth + 1))
      this.#space()
      if (this.#take('}')) return map
      if (!this.#take(',')) throw new ParseFault(`expected , at ${this.#at}`)
    }
  }

  #array(depth: number): Parsed[] {
    const list: Parsed[] = []
    this.#at += 1
    this.#space()
    if (this.#take(']')) return list
    for (;;) {
      list.push(this.value(depth + 1))
      this.#space()
      if (this.#take(']')) return list
      if (!this.#take(',')) throw new ParseFault(`expected , at ${this.#at}`)
    }
  }

  #string(): string {
    const raw = this.#match(STRING)
    if (raw === undefined) throw new ParseFault(`expected a string at ${this.#at}`)
    return JSON.parse(raw)
  }

  #space(): void {
    this.#match(SPACE)
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

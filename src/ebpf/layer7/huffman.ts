/** The Huffman code of HPACK (RFC 7541, appendix B). */

/**
 * How many bits each byte takes, and the end of the text as the last one: A is 5 bits, B is 6 and so on. The codes
 * follow: they are given out by length, and among those of one length by byte.
 */
const LENGTHS = [
  'ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXX',
  'BFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF',
  'IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJB',
  'KABABABBBACCBBBABCBAABCCCCCKGJIX',
  'PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSST',
  'RQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS',
  'VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWW',
  'PTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV',
  'Z',
].join('')
const SHORTEST = 5
const LONGEST = 30
const END = 256

/** By length: the first code, how many there are, and where their bytes begin in `SYMBOLS`. */
const FIRST: number[] = []
const COUNT: number[] = []
const OFFSET: number[] = []
const SYMBOLS: number[] = []

for (let length = 0, code = 0; length <= LONGEST; length++, code <<= 1) {
  FIRST.push(code)
  OFFSET.push(SYMBOLS.length)
  for (let symbol = 0; symbol < LENGTHS.length; symbol++)
    if (LENGTHS.charCodeAt(symbol) - 65 + SHORTEST === length) SYMBOLS.push(symbol)
  COUNT.push(SYMBOLS.length - (OFFSET[length] as number))
  code += COUNT[length] as number
}

/** The bytes that the code stands for; undefined when it is none, or stands for more than `into` holds. */
export function decodeHuffman(bytes: Uint8Array, at: number, end: number, into: Uint8Array): number | undefined {
  let size = 0
  let code = 0
  let length = 0
  for (let bit = at * 8; bit < end * 8; bit++) {
    code = (code << 1) | (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1)
    length++
    const index = code - (FIRST[length] as number)
    if (index < 0 || index >= (COUNT[length] as number)) {
      if (length === LONGEST) return undefined
      continue
    }
    const symbol = SYMBOLS[(OFFSET[length] as number) + index] as number
    if (symbol === END || size === into.length) return undefined
    into[size++] = symbol
    code = 0
    length = 0
  }
  // What is left of the last byte is filled with ones.
  return length < 8 && code === (1 << length) - 1 ? size : undefined
}

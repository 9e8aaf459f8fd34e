/** The host of a URL, as the web reads it: IPv4 in all its spellings, IPv6, names in ASCII. Throws a TypeError otherwise. */
import { decodePercent } from './query.ts'

const FORBIDDEN = /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/
/** What hosts of unknown schemes may not hold. */
const FORBIDDEN_OPAQUE = /[\0\t\n\r #/:<>?@[\\\]^|]/

export const invalid = (what: string): TypeError =>
  Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: what })

export function parseHost(given: string, isSpecial: boolean): string {
  if (given.startsWith('[')) {
    if (!given.endsWith(']')) throw invalid(given)
    return `[${writeV6(parseV6(given.slice(1, -1)))}]`
  }
  if (!isSpecial) {
    if (FORBIDDEN_OPAQUE.test(given)) throw invalid(given)
    return given.replace(/[^\x21-\x7e]/gu, encodeURIComponent)
  }
  const name = decodePercent(given).toLowerCase()
  // Names in other letters need tables that are not here.
  if (name === '' || FORBIDDEN.test(name) || /[^\x21-\x7e]/.test(name)) throw invalid(given)
  const labels = name.split('.')
  if (labels.at(-1) === '' && labels.length > 1) labels.pop()
  const last = labels.at(-1) ?? ''
  return /^(?:\d+|0x[0-9a-f]*)$/.test(last) ? parseV4(labels, given) : name
}

function parseV4(labels: readonly string[], given: string): string {
  if (labels.length > 4) throw invalid(given)
  const numbers = labels.map((label) => {
    if (/^0x[0-9a-f]*$/.test(label)) return Number.parseInt(`0${label.slice(2)}`, 16)
    if (/^0[0-7]*$/.test(label)) return Number.parseInt(label, 8)
    if (/^[1-9]\d*$/.test(label)) return Number(label)
    throw invalid(given)
  })
  const last = numbers.pop() ?? 0
  if (numbers.some((one) => one > 255) || last >= 256 ** (4 - numbers.length)) throw invalid(given)
  const whole = numbers.reduce((sum, one, index) => sum + one * 256 ** (3 - index), last)
  return [24, 16, 8, 0].map((shift) => Math.floor(whole / 2 ** shift) % 256).join('.')
}

function parseV6(given: string): number[] {
  const halves = given.split('::')
  if (halves.length > 2) throw invalid(given)
  const [head, tail] = halves.map((half) => (half === '' ? [] : pieces(half, given)))
  const missing = 8 - (head?.length ?? 0) - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) throw invalid(given)
  return [...(head ?? []), ...Array.from({ length: tail === undefined ? 0 : missing }, () => 0), ...(tail ?? [])]
}

function pieces(half: string, given: string): number[] {
  const parts = half.split(':')
  return parts.flatMap((part, index) => {
    if (index === parts.length - 1 && part.includes('.')) {
      const four = part.split('.')
      if (four.length !== 4 || four.some((one) => !/^(?:0|[1-9]\d{0,2})$/.test(one) || Number(one) > 255))
        throw invalid(given)
      const [a = 0, b = 0, c = 0, d = 0] = four.map(Number)
      return [a * 256 + b, c * 256 + d]
    }
    if (!/^[0-9a-f]{1,4}$/i.test(part)) throw invalid(given)
    return [Number.parseInt(part, 16)]
  })
}

/** The longest run of two or more zeros, the first of equals, is left out. */
function writeV6(words: readonly number[]): string {
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && words[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const hex = words.map((word) => word.toString(16))
  if (best.at < 0) return hex.join(':')
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`
}

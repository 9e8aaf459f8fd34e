/** `btoa` and `atob`, as the web has them: one character a byte. */
import { DOMException } from './abort.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function btoa(given: unknown): string {
  const text = String(given)
  let out = ''
  for (let at = 0; at < text.length; at += 3) {
    let bits = 0
    for (let offset = 0; offset < 3; offset++) {
      const code = at + offset < text.length ? text.charCodeAt(at + offset) : 0
      if (code > 255) throw new DOMException('a character is outside of Latin1', 'InvalidCharacterError')
      bits = (bits << 8) | code
    }
    const left = text.length - at
    out += LETTERS.charAt(bits >> 18) + LETTERS.charAt((bits >> 12) & 63)
    out += left > 1 ? LETTERS.charAt((bits >> 6) & 63) : '='
    out += left > 2 ? LETTERS.charAt(bits & 63) : '='
  }
  return out
}

export function atob(given: unknown): string {
  let text = String(given).replace(/[\t\n\f\r ]/g, '')
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '')
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException('The string is not correctly encoded', 'InvalidCharacterError')
  }
  let out = ''
  let bits = 0
  let count = 0
  for (const letter of text) {
    bits = ((bits << 6) | LETTERS.indexOf(letter)) & 0xffffff
    count += 6
    if (count < 8) continue
    count -= 8
    out += String.fromCharCode((bits >> count) & 255)
  }
  return out
}

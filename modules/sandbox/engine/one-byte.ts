/**
 * A text of which each letter takes one byte in an isolate: a single one beyond Latin1 doubles the size of the whole, and so
 * does having come from a text that had one. Pure.
 */
export function oneByte(code: string): string {
  const escaped = code.replace(/[^\0-\xff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return Buffer.from(escaped, 'latin1').toString('latin1')
}

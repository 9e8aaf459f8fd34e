/** A value in a few words, for an error that says what came: its JSON, cut. Never throws. */
const CHARS_MAX = 60

export function shortJson(value: unknown): string {
  if (value === undefined) return 'nothing'
  let text: string
  try {
    text = JSON.stringify(value) ?? `a ${typeof value}`
  } catch {
    text = `a ${typeof value}`
  }
  if (text.length <= CHARS_MAX) return text
  return `${text.slice(0, CHARS_MAX).replace(/[\ud800-\udbff]$/, '')}…`
}

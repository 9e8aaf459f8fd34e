/** Numbers of metrics for a person. Pure. */

export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Four figures say enough; null is unknown. */
export const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : String(Number(value.toPrecision(4)))

export const SIGNS = { lt: '<', le: '≤', gt: '>', ge: '≥', eq: '=', ne: '≠' } as const

/** What units are called behind a number. */
export function unitOf(unit: string): string {
  const words: Readonly<Record<string, string>> = { ratio: '', count: '', percent: '%', per_s: 'per s', usd: '$' }
  return words[unit] ?? unit
}

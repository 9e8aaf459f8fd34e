/**
 * Sizes and figures of the long runs: `npm run test:nightly -- --scale N --seed S`. Without the options a run has its
 * nightly size and always the same seed. What `tell` prints is what docs/reliability.md holds.
 */

export const scaled = (count: number): number => Math.max(1, Math.round(count * Number(process.env['MM_SCALE'] ?? 1)))

export const seeded = (seed: number): number => Number(process.env['MM_SEED'] ?? seed)

export function tell(row: string, figures: Record<string, unknown>): void {
  const told = Object.entries(figures).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  process.stdout.write(`${row}: ${told.join(', ')}\n`)
}

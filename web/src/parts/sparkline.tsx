/** A small line of the last values; unknown ones are gaps. Said in words to a screen reader. */

export interface SparklineProps {
  /** oldest first; null: unknown */
  values: readonly (number | null)[]
  /** what it shows, as `p50 of http, ms` */
  label: string
  /** @default 96 */
  width?: number
  /** @default 24 */
  height?: number
}

export function Sparkline({ values, label, width = 96, height = 24 }: SparklineProps) {
  const known = values.filter((value) => value !== null)
  const last = known.at(-1)
  const text =
    last === undefined
      ? `${label}: no values yet`
      : `${label}: now ${round(last)}, at most ${round(Math.max(...known))}`
  return (
    <svg
      class="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={text}
    >
      <path d={sparkPath(values, width, height)} />
    </svg>
  )
}

const round = (value: number): number => Number(value.toPrecision(3))

/** The line as an SVG path, from 0 up to the greatest value. Pure. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const most = Math.max(...values.map((value) => value ?? 0), 0)
  const step = values.length < 2 ? 0 : width / (values.length - 1)
  let path = ''
  let isDown = false
  for (const [at, value] of values.entries()) {
    if (value === null) {
      isDown = false
      continue
    }
    const y = most === 0 ? height - 1 : height - 1 - (value / most) * (height - 2)
    path += `${isDown ? 'L' : 'M'}${(at * step).toFixed(1)} ${y.toFixed(1)}`
    isDown = true
  }
  return path
}

/** A chart over time (uPlot, loaded when the first one is drawn), with its last values as text beside it. */
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { shownTheme } from '../theme.ts'

export interface ChartProps {
  /** said to a screen reader, and its heading where it has none */
  label: string
  /** epoch milliseconds, growing */
  times: readonly number[]
  /** `color`: a number of the tokens `--line-1` … `--line-5`; null: unknown, drawn as a gap. `as`: by default a line */
  series: readonly {
    name: string
    values: readonly (number | null)[]
    color?: 1 | 2 | 3 | 4 | 5
    as?: 'line' | 'dashes' | 'points'
  }[]
  /** behind each number, as `ms` */
  unit?: string
  /** @default 200 */
  height?: number
}

export function Chart({ label, times, series, unit = '', height = 200 }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const names = series.map(({ name }) => name).join('\n')
  const data = dataOf(times, series)
  const latest = useRef(data)
  latest.current = data
  const dark = shownTheme.value
  // One point has no extent: its axis would run over years.
  const isLine = times.length > 1
  useEffect(() => {
    if (!isLine) return undefined
    let ended = false
    const size = new ResizeObserver(([entry]) =>
      plot.current?.setSize({ width: entry?.contentRect.width ?? 300, height }),
    )
    void import('./plot.ts').then(({ draw }) => {
      if (ended || box.current === null) return
      plot.current = draw(box.current, { series, unit, height, data: latest.current })
      size.observe(box.current)
    })
    return () => {
      ended = true
      size.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [names, unit, height, dark, isLine])
  useEffect(() => plot.current?.setData(data), [data])
  return (
    <figure class="chart" aria-label={label}>
      <div ref={box} style={{ height: `${height}px` }} aria-hidden="true">
        {!isLine && <p class="state">Drawn from the second reading on.</p>}
      </div>
      <figcaption>
        {series.map(({ name, values, color }, at) => (
          <span key={name} class={`legend line-${color ?? at + 1}`}>
            {name} <b>{textOf(values.at(-1))}</b> {unit}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

const textOf = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : String(Number(value.toPrecision(3)))

const dataOf = (times: readonly number[], series: ChartProps['series']): uPlot.AlignedData => [
  times.map((time) => time / 1_000),
  ...series.map(({ values }) => [...values]),
]

/** Draws a chart with uPlot in the colors of the theme that is shown. Loaded by `chart.tsx` when the first chart is drawn. */
import Plot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ChartProps } from './chart.tsx'

interface Drawing extends Pick<ChartProps, 'series'> {
  unit: string
  height: number
  data: Plot.AlignedData
}

export function draw(box: HTMLElement, { series, unit, height, data }: Drawing): Plot {
  const styles = getComputedStyle(document.documentElement)
  const color = (name: string): string => styles.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--dim'),
    grid: { stroke: color('--edge'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
  return new Plot(
    {
      width: box.clientWidth,
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: {
        y: { range: (_plot, low, high) => [Math.min(0, low ?? 0), high === 0 || high === null ? 1 : high * 1.1] },
      },
      axes: [
        axis,
        {
          ...axis,
          size: 64,
          values: (_plot, values) => values.map((value) => `${value}${unit === '' ? '' : ` ${unit}`}`),
        },
      ],
      series: [
        {},
        ...series.map((one, at) => ({
          label: one.name,
          stroke: color(`--line-${one.color ?? at + 1}`),
          width: one.as === 'points' ? 0 : 1.5,
          ...(one.as === 'dashes' ? { dash: [6, 4] } : {}),
          points:
            one.as === 'points'
              ? { show: true, size: 7, fill: color(`--line-${one.color ?? at + 1}`) }
              : { show: false },
        })),
      ],
    },
    data,
    box,
  )
}

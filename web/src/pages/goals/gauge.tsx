/** One goal: its score as a bar, the threshold as a mark on it, and in words how far off it is. */
import { useId } from 'preact/hooks'
import { Badge } from '../../parts/badge.tsx'
import { percent } from './numbers.ts'

export interface GaugeProps {
  name: string
  /** 0 to 1; null: no data */
  score: number | null
  threshold: number | undefined
  weight: number | undefined
}

const WIDTH = 100
const HEIGHT = 8

export function Gauge({ name, score, threshold, weight }: GaugeProps) {
  const id = useId()
  const isBelow = score !== null && threshold !== undefined && score < threshold
  return (
    <div class="goals-gauge" role="group" aria-labelledby={id}>
      <div class="goals-gauge-head">
        <span id={id}>{name}</span>
        <Verdict score={score} threshold={threshold} />
      </div>
      <div class="goals-gauge-score">{score === null ? '–' : percent(score)}</div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="goals-gauge-ground" y="2" width={WIDTH} height="4" />
        {score !== null && (
          <rect
            class={isBelow ? 'goals-gauge-fill is-below' : 'goals-gauge-fill'}
            y="2"
            width={score * WIDTH}
            height="4"
          />
        )}
        {threshold !== undefined && (
          <rect class="goals-gauge-mark" x={threshold * WIDTH - 0.4} width="0.8" height={HEIGHT} />
        )}
      </svg>
      <div class="dim">
        {threshold === undefined ? '' : `threshold ${percent(threshold)}`}
        {weight === undefined || weight === 1 ? '' : `, weight ${weight}`}
      </div>
    </div>
  )
}

function Verdict({ score, threshold }: Pick<GaugeProps, 'score' | 'threshold'>) {
  if (score === null) return <Badge tone="off">no data</Badge>
  if (threshold === undefined) return null
  if (score >= threshold) return <Badge tone="good">reached</Badge>
  return <Badge tone="warn">{Math.max(1, Math.round((threshold - score) * 100))} points below</Badge>
}

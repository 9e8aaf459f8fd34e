/** The six goals as bars of ten cells, one a line, and the whole below; for `mm status --meta`. Pure. */
import { META_GOALS, type MetaGoal, type MetaGoalConfig, type Scores } from '../../../contracts/meta-loop.ts'
import { META_GOAL_DEFAULTS } from './goals.ts'

const CELLS = 10
const NAME_CHARS = 14

function bar(name: string, score: number | null, note = ''): string {
  const label = name.replace('_', ' ').replaceAll('_', '-').padEnd(NAME_CHARS)
  if (score === null) return `${label} ${'·'.repeat(CELLS)} no data`
  const full = Math.round(score * CELLS)
  const percent = `${Math.round(score * 100)} %`.padStart(5)
  return `${label} ${'█'.repeat(full)}${'░'.repeat(CELLS - full)} ${percent}${note}`
}

export function goalBars(
  scores: Scores,
  config: Readonly<Record<MetaGoal, MetaGoalConfig>> = META_GOAL_DEFAULTS,
): string[] {
  const lines = META_GOALS.map((goal) => {
    const below = scores.below_threshold.includes(goal)
    return bar(goal, scores.goals[goal], below ? `  below ${Math.round(config[goal].threshold * 100)} %` : '')
  })
  return [...lines, bar('all', scores.aggregate)]
}

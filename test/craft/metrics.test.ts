/** docs/metrics.md lists the metrics the system knows of itself: written from the catalogue, where they are defined. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CATALOGUE } from '../../modules/control/metrics/catalogue.ts'
import { packageRoot } from '../support/root.ts'
import { matchesFile } from './files.ts'

const HEADING = '\n## What the system knows of itself\n'

const BETTER = { up: 'more', down: 'less', band: 'within its bounds', neither: '' }

const rows = CATALOGUE.map(({ path, unit, direction, target, nullable, meaning, source }) => {
  const aim = target === null ? '' : `; target ${target}`
  return `| \`${path}\` | ${unit} | ${BETTER[direction]}${aim} | ${nullable ? 'may be' : 'never'} | ${meaning} | ${source} |`
})

const section = `${HEADING}
The service \`control/metrics\` measures these and keeps them as snapshots; goals and rules name them by their path. What is
not known is null, and nothing is concluded from it. This list is written from
\`modules/control/metrics/catalogue.ts\` by \`npm run docs\`.

| metric | unit | better | unknown | what it means | read from |
|---|---|---|---|---|---|
${rows.join('\n')}
`

it('docs/metrics.md names every metric with its source', () => {
  const page = readFileSync(join(packageRoot, 'docs/metrics.md'), 'utf8')
  const [before = ''] = page.split(HEADING)
  matchesFile('docs/metrics.md', before + section)
})

it('a path is there once, with a meaning, a source, and bounds that hold its target', () => {
  expect(new Set(CATALOGUE.map(({ path }) => path)).size).toBe(CATALOGUE.length)
  for (const { path, domain, meaning, source, target, min, max } of CATALOGUE) {
    expect(path).toMatch(new RegExp(`^${domain}\\.[a-z][a-z0-9_]*$`))
    expect([path, meaning.length > 5, source.length > 2]).toEqual([path, true, true])
    if (target !== null)
      expect([path, target >= (min ?? target), target <= (max ?? target)]).toEqual([path, true, true])
  }
})

/** What rules of one's own may name, in the system the seven domains come from. */
const REGISTRY = {
  performance: ['avg_quality_score', 'avg_success_rate', 'avg_collaboration_score', 'agent_count'],
  budget: [
    'total_spend',
    'productive_ratio',
    'coordination_ratio',
    'system_ratio',
    'days_until_exhausted',
    'forecast_confidence',
    'orchestration_overhead',
  ],
  coordination: [
    'coordination_efficiency',
    'coordination_overhead_pct',
    'error_amplification',
    'message_density',
    'redundancy_rate',
    'straggler_gap_ratio',
    'sample_count',
  ],
  scaling: ['total_decisions', 'success_rate'],
  errors: ['total_findings'],
  evolution: ['total_proposals', 'approval_rate'],
  telemetry: ['event_count', 'error_event_count'],
}

it('the 25 paths of the seven domains are all there', () => {
  const paths = Object.entries(REGISTRY).flatMap(([domain, names]) => names.map((name) => `${domain}.${name}`))
  expect(paths).toHaveLength(25)
  const known = CATALOGUE.map(({ path }) => path)
  expect(paths.filter((path) => !known.includes(path))).toEqual([])
})

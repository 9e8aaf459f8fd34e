/** The values the loop's own knobs and rules turn: each has a direction, so that a careful step goes through with `semi`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Json } from '../../../modules/contracts/seams.ts'
import { builtinRules } from '../../../modules/control/meta-loop/rules/builtin.ts'
import { goalPolicies } from '../../../modules/control/meta-loop/rules/policies.ts'
import { STRATEGIC_GOALS } from '../../../modules/control/meta-loop/scoring/goals.ts'
import { KNOBS } from '../../../modules/control/meta-loop/scoring/knobs.ts'
import { DIRECTIONS, directionOf } from '../../../modules/control/policy/directions.ts'
import { packageRoot } from '../../support/root.ts'
import { codeOf, startGate, type Gate } from '../gate-system.ts'

const ASSISTANT = 'configs/agents/assistant.yml'
const OPENAI = 'configs/inference/openai.yml'
const ASK = 'configs/inference/ask.yml'
const LOOP = 'configs/control/meta-loop.yml'
const TOOLS = 'configs/tools.yml'
const shipped = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')
const FILES = Object.fromEntries([ASSISTANT, OPENAI, ASK, LOOP].map((file) => [file, shipped(file)]))

/** A careful step, and one the other way that is as far. */
const STEPS: [file: string, key: string, old: Json, careful: Json, opposite: Json][] = [
  [ASSISTANT, 'steps_max', 8, 6, 10],
  [OPENAI, 'params.retries', 2, 1, 3],
  [OPENAI, 'params.temperature', 0.7, 0.5, 0.9],
  [ASK, 'depth_max', 2, 1, 3],
  [TOOLS, 'deadline_ms', 30_000, 20_000, 40_000],
  [LOOP, 'confidence_min', 0.6, 0.75, 0.45],
]

let gate: Gate | undefined
afterEach(() => gate?.stop())

const tierOf = async (file: string, key: string, old: Json, next: Json): Promise<string> => {
  const verdict = await gate?.check({ kind: 'value', file, key, old, new: next })
  return `${verdict?.tier} ${verdict?.altitude}`
}

it('a careful step of a knob goes through with `semi` and its opposite waits; with `supervised` both wait', async () => {
  gate = await startGate(FILES)
  await gate.policy('autonomy: semi\n')
  for (const [file, key, old, careful, opposite] of STEPS)
    expect([key, await tierOf(file, key, old, careful), await tierOf(file, key, old, opposite)]).toEqual([
      key,
      'AUTO_APPROVE tuning',
      'HUMAN_REVIEW tuning',
    ])
  // The same word in the config of another module says nothing.
  expect(await tierOf('configs/loop.yml', 'steps_max', 8, 6)).toBe('HUMAN_REVIEW config')
  expect(await tierOf(ASSISTANT, 'cost_usd_max', 1, 0.9)).toBe('HUMAN_REVIEW config')
  await gate.policy('autonomy: supervised\n')
  for (const [file, key, old, careful, opposite] of STEPS)
    for (const next of [careful, opposite])
      expect([key, await tierOf(file, key, old, next)]).toEqual([key, 'HUMAN_REVIEW tuning'])
})

it('a model may lower the steps of the assistant, and a person decides whether it has more; careful steps do not add up', async () => {
  gate = await startGate({
    ...FILES,
    'configs/database.yml': 'prog: services/database\n',
    'prompts/meta.txt': shipped('prompts/meta.txt'),
  })
  await gate.policy('autonomy: semi\n')
  const edit = async (steps_max: number): Promise<string> =>
    codeOf(await (gate as Gate).asModel('config_edit', { service: 'assistant', set: { steps_max } }))
  expect(await edit(10)).toBe('tool_waits')
  expect(gate.root.read(ASSISTANT)).toBe(shipped(ASSISTANT))
  expect(await edit(6)).toBe('success')
  expect(gate.root.read(ASSISTANT)).toBe(shipped(ASSISTANT).replace('steps_max: 8', 'steps_max: 6'))
  expect(await edit(4)).toBe('success')
  expect(await edit(3)).toBe('tool_waits')
})

it('each knob and each rule that changes a value of a shipped config has a direction', () => {
  const changes = [...builtinRules(), ...goalPolicies(STRATEGIC_GOALS)].flatMap(({ change = [] }) => change)
  const missing = [...KNOBS, ...changes].filter(({ file, key }) => {
    const { prog } = parse(shipped(file)) as { prog: string }
    const change = { kind: 'value' as const, file, key, old: 1, new: 1 }
    return directionOf(change, prog, DIRECTIONS) === undefined
  })
  expect(missing).toEqual([])
})

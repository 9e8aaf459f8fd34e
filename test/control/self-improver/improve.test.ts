/** From a goal to a proposal: what the model is told, what becomes of its answers, and what is kept of it all. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Improvement, ProposalInput, RolloutsApi } from '../../../modules/contracts/proposals.ts'
import { packageRoot } from '../../support/root.ts'
import { rejection } from '../../support/system.ts'
import { startGate, type GateSystem } from './gate-system.ts'

const SUM = `export class Module {
  sum(list) { let total = 0; for (const one of list) total += one; return total }
}
`
const FASTER = SUM.replace(
  'let total = 0; for (const one of list) total += one; return total',
  'return list.reduce((a, b) => a + b, 0)',
)
const WRONG = SUM.replace('total = 0', 'total = 1')

/** Answers in turn; the last one goes on. Asked questions are kept. */
const provider = (answers: string[]): string => `const answers = ${JSON.stringify(answers)}
export class Module {
  asked = []
  describe() { return { model: 'script', ready: true, note: '' } }
  async complete({ messages }) {
    this.asked.push(messages)
    const text = answers[Math.min(this.asked.length, answers.length) - 1]
    if (text === 'wait') await new Promise(() => {})
    return { text, model: 'script', finish: 'stop', usage: { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cost_usd: 0.4 } }
  }
  told() { return this.asked }
}
`
/** In the place of the service that leads proposals on. */
const ROLLOUTS = `export class Module {
  got = []
  async submit(proposal) { this.got.push(proposal); return { ...proposal, id: 'c' + this.got.length, state: proposal.title === 'no' ? 'refused' : 'waiting', message: 'a person has to decide' } }
  all() { return this.got }
}
`
const fence = (path: string, text: string): string => `\`\`\`file ${path}\n${text}\`\`\`\n`
const about = (title: string): string => `\`\`\`json\n{"title": "${title}", "intent": "less work"}\n\`\`\`\n`

let system: GateSystem
afterEach(() => system.stop())

async function start(answers: string[], more: Record<string, string> = {}): Promise<void> {
  system = await startGate({
    'configs/sums.yml': 'record: {calls: all}\n',
    'modules/sums.ts': SUM,
    'configs/model.yml': 'record: false\n',
    'modules/model.ts': provider(answers),
    'configs/rollouts.yml': '',
    'modules/rollouts.ts': ROLLOUTS,
    'prompts/self-improver.txt': 'goal: {{goal}}\n{{contract}}\n{{calls}}\n{{files}}\n',
    ...more,
  })
  for (let n = 0; n < 5; n++) await system.getApi<{ sum(list: number[]): number }>('sums').sum([n, 2])
}

const improve = (more: object = {}): Promise<Improvement> =>
  system.improver.improve({ service: 'sums', goal: 'be quicker', provider: 'model', ...more })
const proposals = (): Promise<ProposalInput[]> => system.getApi<{ all(): ProposalInput[] }>('rollouts').all()
const told = (): Promise<{ role: string; content: string }[][]> =>
  system.getApi<{ told(): { role: string; content: string }[][] }>('model').told()

it('a refusal goes back to the model in words, and its next answer is proposed with evidence and lineage', async () => {
  await start(['I cannot.', fence('modules/sums.ts', WRONG), about('Fold') + fence('modules/sums.ts', FASTER)])
  const done = await improve()
  expect(done).toMatchObject({ state: 'submitted', proposal_id: 'c1', service: 'sums' })
  expect(done.cost_usd).toBeCloseTo(1.2)
  expect(done.attempts.map(({ outcome, refused_by }) => [outcome, refused_by])).toEqual([
    ['unusable', null],
    ['refused', 'replay'],
    ['submitted', null],
  ])
  const asked = await told()
  expect(asked[0]?.[0]?.content).toMatch(
    /be quicker[\s\S]*call sum[\s\S]*sum\(\[ 0, 2 \]\) → 2[\s\S]*file modules\/sums\.ts/,
  )
  expect(asked[1]?.at(-1)?.content).toContain('no file was found')
  expect(asked[2]?.at(-1)?.content).toMatch(/replay: counterexample: sum\(\[ 0, 2 \]\): the result was 2 and is 3/)
  const [proposal] = await proposals()
  expect(proposal).toMatchObject({
    origin: 'self',
    service: 'sums',
    title: 'Fold',
    intent: 'less work',
    reason: 'be quicker',
  })
  expect(proposal?.lineage).toMatchObject({ provider: 'model', model: 'script', parent: done.id })
  expect(proposal?.evidence?.map(({ check }) => check)).toEqual(expect.arrayContaining(['policy', 'scan', 'replay']))
  expect(system.root.read('modules/sums.ts')).toBe(SUM)
})

it('tries and budget end it, and what is known of it survives a reload', async () => {
  await start([fence('modules/sums.ts', WRONG)])
  expect(await improve({ tries: 2 })).toMatchObject({ state: 'given_up', attempts: [{ number: 1 }, { number: 2 }] })
  expect(await improve({ budget_usd: 0.3 })).toMatchObject({ state: 'over_budget', attempts: [{ number: 1 }] })
  await system.reload('self-improver')
  const { improvements } = await system.improver.list({ service: 'sums' })
  expect(improvements.map(({ id, state }) => [id, state])).toEqual([
    ['i2', 'over_budget'],
    ['i1', 'given_up'],
  ])
})

it('one of a service at a time; what ran when the process ended is told as failed', async () => {
  await start(['wait'])
  const begun = await system.improver.start({ service: 'sums', goal: 'x', provider: 'model' })
  expect(begun.state).toBe('running')
  expect((await rejection(improve())).code).toBe('improvement_running')
  expect((await rejection(system.improver.show('i99'))).code).toBe('improvement_missing')
  expect((await rejection(system.improver.improve({ service: 'nobody', goal: 'x' }))).code).toBe('service_not_found')
  system.root.remove('configs/self-improver.yml')
  await system.event('service.stopped', ({ api }) => api === 'self-improver')
  system.root.write('configs/self-improver.yml', 'prog: control/self-improver\n')
  await system.event('service.live', ({ api }) => api === 'self-improver')
  expect((await system.improver.show('i1')).state).toBe('failed')
})

it('what showed that a change was wrong is asked of later changes too, when nobody has recorded it any more', async () => {
  // Nothing in the sources names a list of this length.
  const rare = SUM.replace('return total', 'return list.length % 10 === 7 ? -total : total')
  await start([fence('modules/sums.ts', rare)])
  const list = Array.from({ length: 1_237 }, (_, index) => index)
  const calls = system.getApi<{ sum(list: number[]): number }>('sums')
  await calls.sum(list)
  const first = await improve({ tries: 1 })
  expect(first.attempts[0]).toMatchObject({ outcome: 'refused', refused_by: 'replay' })
  await system.getApi<{ forget(service: string): Promise<unknown> }>('recordings').forget('sums')
  await calls.sum([1, 2])
  const second = await improve({ tries: 1 })
  expect(second.attempts[0]).toMatchObject({ outcome: 'refused', refused_by: 'made_calls' })
  expect(second.attempts[0]?.message).toContain('counterexample: sum')
})

it('a kernel that a model proposes waits for a person, as a kernel; a broken one is told so first', async () => {
  const kernel = (body: string): string =>
    `import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'\nexport class Kernel extends Shipped { ${body} }\n`
  const meta = fence('configs/meta-v2.0.0.yml', 'prog: kernel-v2\n')
  await start(
    [
      meta + fence('modules/kernel-v2/index.ts', kernel('get version( {')),
      about('Steadier') + meta + fence('modules/kernel-v2/index.ts', kernel('')),
    ],
    {
      'configs/rollouts.yml': 'prog: control/rollouts\n',
      'configs/approvals.yml': 'prog: control/approvals\n',
    },
  )
  const done = await improve({ goal: 'a steadier kernel' })
  expect(done.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'submitted'])
  const proposal = await system.getApi<RolloutsApi>('rollouts').show(String(done.proposal_id))
  expect(proposal).toMatchObject({
    title: 'Steadier',
    state: 'waiting',
    verdict: { tier: 'HUMAN_REVIEW', altitude: 'kernel', impact: 'CRITICAL', confirm_twice: true },
  })
  expect(existsSync(join(system.root.path, 'configs/meta-v2.0.0.yml'))).toBe(false)
})

/** Findings about prompts: what the loop would tell models, whom, in which words, and who decides. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Principle } from '../../../modules/contracts/meta-loop.ts'
import { withPrinciple } from '../../../modules/control/meta-loop/principles.ts'
import { CADENCE, startLoop, type Loop } from './loop.ts'

const FULL = 'prog: control/policy\nautonomy: full\nproduction: false\n'
const PROMPTS = 'altitudes: [tuning, config, prompt]\n'
const [ADA, BEN] = ['prompts/ada.txt', 'prompts/ben.txt']
const rule = (principle: string): string =>
  `rules: [{name: slow, conditions: [{metric: test.slow, comparator: gt, threshold: 1}], severity: warning, altitudes: [prompt], principle: ${principle}}]\n`
const OF_ADA = rule('{text: Ask once., scope: ada, mode: advisory}')
const HEADING = 'Principles, each with the rule it came from:'
const agent = `export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config }
  said() { return this.kernel.prompt(this.config.prompt_file).text }
}
`

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + PROMPTS + OF_ADA, {
    'configs/policy.yml': FULL,
    'configs/ada.yml': `prog: agent\nprompt_file: ${ADA}\n`,
    'configs/ben.yml': `prog: agent\nprompt_file: ${BEN}\n`,
    'configs/control/judge.yml': 'prog: control/judge\nprompt_file: prompts/judge.txt\n',
    'modules/agent.mjs': agent,
    'modules/control/judge.mjs': agent,
    [ADA]: 'You are Ada.\n',
    [BEN]: 'You are Ben.\n',
    'prompts/judge.txt': 'You judge.\n',
  })
  loop.tell({ values: { 'test.slow': 2 } })
})
afterEach(() => loop.stop())

const said = (api: string): Promise<string> => loop.system.getApi<{ said(): string }>(api).said()

it('a principle waits for a person at every level, is counted while it waits, and is told from the next call on', async () => {
  expect(await loop.cycle()).toMatchObject({ proposals: ['c1'], applied: [], pending: ['c1'] })
  expect(await loop.cycle()).toMatchObject({ proposals: ['c1'], pending: ['c1'] })
  const waiting = await loop.rollouts.show('c1')
  expect(waiting).toMatchObject({
    occurrences: 2,
    service: 'ada',
    verdict: { tier: 'HUMAN_REVIEW', altitude: 'prompt' },
    intent: 'advisory for ada: Ask once.',
  })
  expect(loop.root.read(ADA)).toBe('You are Ada.\n')
  await loop.approve(waiting)
  const told = `You are Ada.\n\n${HEADING}\n- (slow) Where it fits: Ask once.\n`
  await vi.waitFor(async () => expect(await said('ada')).toBe(told), 10_000)
  expect(await said('ben')).toBe('You are Ben.\n')
  expect(await loop.cycle()).toMatchObject({ proposals: [] })
})

it('for all it is one change of every prompt but those that judge, made from the texts as they are then', async () => {
  await loop.configure(CADENCE + PROMPTS + rule('{text: Ask once., scope: all, mode: org_wide}'))
  loop.root.write(BEN, 'You are Ben, and brief.\n')
  await loop.cycle()
  const { edits } = await loop.rollouts.show('c1')
  expect(edits.map(({ path, text }) => [path, text])).toEqual([
    [ADA, `You are Ada.\n\n${HEADING}\n- (slow) Ask once.\n`],
    [BEN, `You are Ben, and brief.\n\n${HEADING}\n- (slow) Ask once.\n`],
  ])
  expect(edits[1]?.base_hash).toBe(loop.hashOf(BEN))
})

it('without the altitude, while the system is frozen, or for one who has no prompt, none is proposed', async () => {
  loop.system.switchboard.frozen = 'self'
  expect(await loop.cycle()).toMatchObject({ proposals: [], notes: [] })
  loop.system.switchboard.frozen = 'none'
  await loop.configure(CADENCE + OF_ADA)
  expect(await loop.cycle()).toMatchObject({ findings: [{ rule: 'slow' }], proposals: [] })
  await loop.configure(CADENCE + PROMPTS + rule('{text: Ask once., scope: shop, mode: override}'))
  expect(await loop.cycle()).toMatchObject({ proposals: [], notes: ['there is no prompt of shop for slow'] })
})

it('a principle that is no plain line, or whose scope and mode do not fit, is refused with its rule', async () => {
  for (const principle of [
    '{text: "two\\nlines", scope: ada, mode: advisory}',
    '{text: "{{tools}}", scope: ada, mode: advisory}',
    '{text: Ask., scope: ada, mode: org_wide}',
    '{text: Ask., scope: all, mode: override}',
    '{text: Ask., scope: ada, mode: loud}',
  ]) {
    const refused = await loop.configure(CADENCE + PROMPTS + rule(principle)).catch((thrown: Error) => thrown.message)
    expect([principle, refused]).toEqual([principle, expect.stringContaining('slow')])
  }
})

it('a rule that speaks again replaces its line, and leaves those of others and all other text as they are', () => {
  const say = (text: string, name: string, principle: Principle): string => withPrinciple(text, name, principle)
  const first = say('You.\n', 'a', { text: 'One.', scope: 'x', mode: 'advisory' })
  const both = say(first, 'b', { text: 'Two.', scope: 'x', mode: 'override' })
  expect(both).toBe(`You.\n\n${HEADING}\n- (a) Where it fits: One.\n- (b) Two. (This goes before what stands above.)\n`)
  const again = say(both, 'a', { text: 'Three.', scope: 'x', mode: 'advisory' })
  expect(again).toBe(both.replace('One.', 'Three.'))
  expect(say(again, 'a', { text: 'Three.', scope: 'x', mode: 'advisory' })).toBe(again)
})

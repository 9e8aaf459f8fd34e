/** What a page asks the loop for: what the rules say and why not, the metrics there are, and a rule before it is there. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CADENCE, KNOBS, startLoop, UNRELIABLE, type Loop } from './loop.ts'

const TOKEN = 'the-token-of-this-test-long-enough-to-be-one'
const RULE = {
  name: 'slow_cart',
  conditions: [{ metric: 'test.slow', comparator: 'ge', threshold: 3 }],
  severity: 'info',
  altitudes: ['config'],
}

let loop: Loop
beforeAll(async () => {
  loop = await startLoop(CADENCE + KNOBS, {
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'runtime/token': `${TOKEN}\n`,
  })
})
afterAll(() => loop.stop())

async function ask(path: string, body?: object): Promise<Record<string, never>> {
  const { url } = JSON.parse(loop.root.read('runtime/http.json')) as { url: string }
  const response = await fetch(`${url}/api/meta/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await response.json()) as Record<string, never>
}

it('before the first snapshot nothing is known, afterwards each rule says what it says or why it says nothing', async () => {
  expect(await ask('findings')).toEqual({ snapshot: null, findings: [], silent: [] })
  expect(await ask('metrics')).toMatchObject({ snapshot: null, metrics: [{ value: null }, {}, {}] })
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 } })
  await loop.cycle()
  loop.tell({ values: { 'test.slow': 4 } })
  await loop.cycle()
  const { findings, silent } = await ask('findings')
  expect(findings).toEqual([])
  expect(silent).toContainEqual({ rule: 'slow_shop', reason: 'pending' })
  expect(silent).toContainEqual({ rule: 'redundancy', reason: 'no_data' })
  expect(await ask('metrics')).toMatchObject({
    snapshot: { id: 's2' },
    metrics: [{}, { metric: { path: 'test.slow' }, value: 4, samples: 1_000 }, {}],
  })
})

it('a rule is judged on the snapshots there are, and its draft writes nothing', async () => {
  const preview = await ask('rules/preview', { rule: RULE })
  expect(preview).toMatchObject({
    fires: 1,
    points: [
      { snapshot: 's1', outcome: 'does_not_hold', values: [2] },
      { snapshot: 's2', outcome: 'fires', values: [4] },
    ],
  })
  const file = loop.root.read('configs/control/meta-loop.yml')
  const draft = await ask('rules/draft', { set: RULE })
  expect(draft).toMatchObject({ file: 'configs/control/meta-loop.yml', before: file })
  expect(draft['text']).toContain('name: slow_cart')
  expect(loop.root.read('configs/control/meta-loop.yml')).toBe(file)
})

it.each([
  ['rules/draft', {}, 'bad_arguments'],
  ['rules/draft', { set: RULE, remove: 'slow_shop' }, 'bad_arguments'],
  ['rules/draft', { remove: 'redundancy' }, 'rule_invalid'],
  ['rules/draft', { set: { ...RULE, name: 'redundancy' } }, 'rule_invalid'],
  [
    'rules/preview',
    { rule: { ...RULE, conditions: [{ ...RULE.conditions[0], metric: 'test.fast' }] } },
    'metric_unknown',
  ],
])('%s of %j is refused with %s', async (path, body, code) => {
  expect(await ask(path, body)).toMatchObject({ error: { code } })
})

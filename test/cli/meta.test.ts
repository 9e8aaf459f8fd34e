/** The meta-loop from the command line: how it stands, what happened since somebody looked, and what it is told. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CADENCE, KNOBS, startLoop, type Loop } from '../control/meta-loop/loop.ts'
import { mmHere } from '../support/cli.ts'
import type { CommandResult } from '../support/process.ts'

const TOKEN = 'the-token-of-this-test-long-enough-to-be-one'

let loop: Loop
beforeAll(async () => {
  loop = await startLoop(CADENCE + KNOBS, {
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'runtime/token': `${TOKEN}\n`,
  })
})
afterAll(() => loop.stop())

const mm = (...args: string[]): Promise<CommandResult> => mmHere(loop.root.path, ...args)
const out = async (...args: string[]): Promise<string> => (await mm(...args)).stdout
const json = async (...args: string[]): Promise<never> => JSON.parse(await out('--json', ...args)) as never

it('the goals are bars with the one line below, and with --json all that is known', async () => {
  const lines = (await out('status', '--meta')).trimEnd().split('\n')
  expect(lines).toHaveLength(8)
  expect(lines[0]).toMatch(/^G1 truthful +█+░* +\d+ %$/)
  expect(lines.at(-2)).toMatch(/^all +█+░* +\d+ %$/)
  expect(lines.at(-1)).toMatch(/^\[Meta-loop: balanced, no cycle yet, .*\]$/)
  expect(await json('status', '--meta')).toMatchObject({ bot_id: 'default', scores: { below_threshold: [] } })
})

it('what happened since the last look is told once, in eight lines at most, and --since looks back without moving it', async () => {
  const first = (await out('brief')).trimEnd().split('\n')
  expect(first.length).toBeLessThanOrEqual(8)
  expect(first[0]).toContain('0 attempts at a cycle')
  expect(await out('meta', 'signal', 'probe', 'half {', '--priority', 'high')).toMatch(/^queued as \w+/)
  expect(await json('meta', 'signal', 'probe', '{"n": 1}', '--ttl', '60')).toMatchObject({ status: 'queued' })
  expect(await out('meta', 'trigger', '--wait')).toMatch(/^cycle 1 \(manual\) completed; /)
  const [cycle] = (await loop.meta.cycles()).cycles
  expect(cycle?.queued_signals.map(({ priority, payload }) => [priority, payload])).toEqual([
    ['high', { raw: 'half {' }],
    ['normal', { n: 1 }],
  ])
  expect(await out('brief', '--since', '1h')).toContain('1 attempts at a cycle (1 completed)')
  expect(await out('brief')).toMatch(/1 attempts at a cycle \(1 completed\)[\s\S]*2 signals read/)
  expect(await out('brief')).toContain('0 attempts at a cycle')
  expect(await json('brief', '--since', '2026-01-01')).toMatchObject({ since: Date.parse('2026-01-01T00:00') })
  expect(await mm('brief', '--since', 'once')).toMatchObject({ code: 2 })
})

it('a cycle is started, and exit code 1 says that it was not', async () => {
  loop.tell({ take_ms: 500 })
  const ended = loop.ended()
  expect(await mm('meta', 'trigger')).toMatchObject({ code: 0, stdout: 'Cycle triggered: manual\n' })
  expect(await mm('meta', 'trigger', '--emergency')).toMatchObject({ code: 1, stdout: 'Cycle already running\n' })
  await ended
  loop.tell({ take_ms: 0 })
})

it('rules are listed, somebody goes away and comes back, and wrong words are refused', async () => {
  expect(await out('meta', 'rules')).toMatch(/slow_shop +custom +warning +test\.slow > 1/)
  expect(await json('meta', 'rules', '--type', 'builtin')).toHaveLength(9)
  expect(await out('meta', 'away', 'on')).toMatch(/^cadence: aggressive; /)
  expect(await out('meta', 'away', 'off')).toMatch(/^cadence: balanced\n0 cycles, /)
  expect(await json('meta', 'away', 'off')).toMatchObject({ mode: 'balanced', briefing: null })
  for (const wrong of [
    ['away', 'maybe'],
    ['rules', '--type', 'x'],
    ['signal', 'a', '--priority', 'x'],
    ['signal', 'a', '--ttl', 'x'],
  ])
    expect([wrong, (await mm('meta', ...wrong)).code]).toEqual([wrong, 2])
})

it('a rule of your own is tried, written with its comments kept, replaced and taken out', async () => {
  const rule =
    '{name: slow_cart, conditions: [{metric: test.slow, comparator: ge, threshold: 3}], severity: info, altitudes: [config]}'
  const file = (): string => loop.root.read('configs/control/meta-loop.yml')
  const before = file()
  expect(await out('meta', 'set-rule', rule, '--preview')).toMatch(/^it would have held in 0 of \d+ snapshots\n$/)
  expect(file()).toBe(before)
  const told = await out('meta', 'set-rule', rule)
  expect(told).toMatch(/\+ {2}- name: slow_cart[\s\S]*^(c\d+) {2}\w+ [\s\S]*`mm undo \1` puts/m)
  expect(file()).toContain(before.trimEnd().split('\n').slice(0, 3).join('\n'))
  expect(await json('meta', 'rules', '--type', 'custom')).toMatchObject([
    { rule: { name: 'slow_cart' } },
    { rule: { name: 'slow_shop' } },
  ])
  await loop.until('c1', 'confirmed')
  expect(await json('meta', 'remove-rule', 'slow_cart')).toMatchObject({
    origin: 'human',
    title: 'without rule slow_cart',
  })
  expect(file()).toBe(before)
  expect(await mm('meta', 'remove-rule', 'slow_cart')).toMatchObject({ code: 1 })
  expect(await mm('meta', 'set-rule', '{')).toMatchObject({ code: 2 })
  expect((await mm('meta', 'set-rule', '{name: Slow}')).code).not.toBe(0)
})

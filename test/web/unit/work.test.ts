/** What the pages of chat, calls and logs decide without a browser. */
import { expect, it } from 'vitest'
import { barOf, callOf, rootErrors, tookOf, type Span } from '../../../web/src/pages/calls/waterfall.ts'
import { newTurn, piecesOf, turnsOf, withEvent, type ChatEvent } from '../../../web/src/pages/chat/thread.ts'
import { verdictOf } from '../../../web/src/pages/chat/verdict.ts'
import { EMPTY, fitting, ROWS_MAX, withAnswer, type LogLine } from '../../../web/src/pages/logs/tail.ts'

const span = (depth: number, at: number, ms: number, error: string | null = null): Span => ({
  depth,
  trace: 't',
  span: `${at}`,
  parent: null,
  caller: 'a',
  callee: `s${at}`,
  aspect: 'default',
  method: 'go',
  kind: 'call',
  generation: 1,
  source_hash: null,
  config_hash: null,
  at,
  ms,
  outcome: error === null ? 'ok' : 'error',
  error: error === null ? null : { code: error, message: error },
  model: null,
})

it('a bar stands where its call began, and never leaves its lane', () => {
  const trace = { at: 1_000, ms: 200 }
  expect(barOf(span(0, 1_050, 100), trace)).toEqual({ left: 25, width: 50 })
  expect(barOf(span(0, 1_200, 0), trace)).toEqual({ left: 99.5, width: 0.5 })
  for (const [at, ms] of [
    [900, 20],
    [1_190, 500],
    [5_000, 5_000],
  ] as const) {
    const { left, width } = barOf(span(0, at, ms), trace)
    expect([left >= 0, width > 0, left + width <= 100]).toEqual([true, true, true])
  }
  expect(barOf(span(0, 1_000, 0), { at: 1_000, ms: 0 })).toEqual({ left: 0, width: 100 })
})

it('of calls that failed one within the other, the innermost is what failed', () => {
  const tree = [span(0, 1, 9, 'outer'), span(1, 2, 3, 'inner'), span(2, 3, 1), span(1, 5, 1), span(1, 6, 1, 'other')]
  expect(rootErrors(tree).map(({ error }) => error?.code)).toEqual(['inner', 'other'])
  expect([callOf(span(0, 1, 1)), callOf({ ...span(0, 1, 1), aspect: 'tool' })]).toEqual(['s1.go', 's1[tool].go'])
  expect([0.314, 9.999, 14.2, 12_345].map(tookOf)).toEqual(['0.31 ms', '10 ms', '14 ms', '12.3 s'])
})

const call = (tool: string, n: number): ChatEvent => ({ type: 'call', text: '', tool, params: { n } })
const result = (tool: string, ms: number, code?: string): ChatEvent => ({
  type: 'result',
  text: '',
  tool,
  ms,
  ...(code === undefined
    ? { status: 'success' as const }
    : { status: 'error' as const, error: { code, message: code, hint: '' } }),
})

it('results find their calls in order, also of one tool that is called twice; text runs on', () => {
  const events: ChatEvent[] = [
    { type: 'text', text: 'I ' },
    { type: 'text', text: 'look.' },
    call('a', 1),
    call('b', 2),
    call('a', 3),
    result('a', 10),
    result('b', 20, 'tool_waits'),
    result('a', 30),
    result('unknown', 0, 'truncated'),
  ]
  const { blocks } = events.reduce(withEvent, newTurn('Look'))
  expect(
    blocks.map((block) =>
      block.kind === 'text'
        ? block.text
        : [block.tool, block.params, block.result?.type === 'result' ? block.result.ms : null],
    ),
  ).toEqual(['I look.', ['a', { n: 1 }, 10], ['b', { n: 2 }, 20], ['a', { n: 3 }, 30], ['unknown', undefined, 0]])
  const waits = blocks[2]
  expect(waits?.kind === 'call' && verdictOf(waits, true).text).toBe('waits for a person')
})

it('a call without a result is under way until its turn is over', () => {
  expect(verdictOf({ result: undefined }, false).text).toBe('under way')
  expect(verdictOf({ result: undefined }, true).text).toBe('no result')
})

it('a conversation that is kept is shown in turns, and the last one waits when it is parked', () => {
  const parked = { approval_id: 'x', question: 'May I?', asked_at: 1 }
  const events = [
    { type: 'user' as const, text: 'One' },
    { type: 'text' as const, text: 'First.', provider: 'offline' },
    { type: 'user' as const, text: 'Two' },
    { type: 'text' as const, text: 'I ask.', provider: 'offline' },
    { type: 'text' as const, text: '[cut]', provider: '' },
  ]
  const turns = turnsOf({ events, parked })
  expect(turns.map(({ said, state, provider }) => [said, state, provider])).toEqual([
    ['One', 'done', 'offline'],
    ['Two', 'parked', 'offline'],
  ])
  expect(turns[1]?.blocks).toHaveLength(2)
  expect(turnsOf({ events, parked: null }).at(-1)?.state).toBe('done')
})

it('code stands apart from prose, whatever is left open', () => {
  expect(piecesOf('See:\n```js\nlet a\n```\n\nDone.')).toEqual([
    { kind: 'prose', text: 'See:' },
    { kind: 'code', text: 'let a' },
    { kind: 'prose', text: 'Done.' },
  ])
  expect(piecesOf('````\n```\nin\n```\n````')).toEqual([{ kind: 'code', text: '```\nin\n```' }])
  expect(piecesOf('a\n```\nopen')).toEqual([
    { kind: 'prose', text: 'a' },
    { kind: 'code', text: 'open' },
  ])
  expect(piecesOf('')).toEqual([])
})

const line = (message: string, more: Partial<LogLine> = {}): LogLine => ({
  time: 1,
  level: 'info',
  service: null,
  message,
  code: null,
  stack: null,
  ...more,
})

it('lines are added behind, a gap is told between them, and of too many the oldest go', () => {
  const one = withAnswer(EMPTY, { lines: [line('one')], next: '1-1', gap: false })
  expect(withAnswer(one, { lines: [], next: '1-1', gap: false })).toBe(one)
  const two = withAnswer(one, { lines: [line('two')], next: '2-1', gap: true })
  expect(two.rows.map((row) => row.line?.message)).toEqual(['one', undefined, 'two'])
  expect(two.rows[0]).toBe(one.rows[0])
  const many = withAnswer(two, { lines: Array.from({ length: ROWS_MAX }, () => line('x')), next: '2-9', gap: false })
  expect([many.rows.length, many.rows[0]?.line?.message]).toEqual([ROWS_MAX, 'x'])
  expect(new Set(many.rows.map(({ id }) => id)).size).toBe(ROWS_MAX)
})

it('a search looks at all that is shown of a line, without regard to case', () => {
  const { rows } = withAnswer(EMPTY, {
    lines: [line('Alpha'), line('x', { service: 'ALPHA/one' }), line('x', { stack: 'at alpha' }), line('beta')],
    next: null,
    gap: false,
  })
  expect(fitting(rows, ' alpha ')).toHaveLength(3)
  expect(fitting(rows, '')).toBe(rows)
})

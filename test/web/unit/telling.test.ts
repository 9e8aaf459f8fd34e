/** What is said of events, and what is not. */
import { expect, it } from 'vitest'
import { textOf, textsOf } from '../../../web/src/shell/telling.ts'

const event = (type: string, data: Record<string, unknown>) => ({ id: 1, type, time: 0, data })
const live = (api: string, more: Record<string, unknown> = {}) =>
  event('service.live', {
    api,
    generation: 4,
    from: 3,
    ms: 14.2,
    failed_calls: 0,
    state: 'carried',
    rolled_back: false,
    ...more,
  })

it('a reload is told with its numbers; failed calls and a way back are marked', () => {
  expect(textOf(live('ticker'))).toMatchObject({ tone: 'good', text: 'ticker g3 → g4, 14 ms, 0 failed, state carried' })
  expect(textOf(live('ticker', { failed_calls: 2 }))?.tone).toBe('warn')
  expect(textOf(live('ticker', { rolled_back: true }))).toMatchObject({
    tone: 'warn',
    text: expect.stringMatching(/rolled back$/),
  })
  expect(textOf(live('a/b', { from: null, generation: 1 }))).toMatchObject({
    text: 'a/b g1 is live, 14 ms',
    href: '#/services/a%2Fb',
  })
})

it('a broken file is told with its line, and what serves meanwhile', () => {
  const error = { code: 'source_syntax', message: 'Expected `}`', hint: '', file: 'modules/a.ts', line: 18 }
  expect(textOf(event('service.refused', { api: 'a', error, serving: 1 }))).toMatchObject({
    tone: 'bad',
    text: 'a refused, g1 serves on',
    detail: 'modules/a.ts:18: Expected `}`',
  })
})

it('a burst of starts is one message, and what else happened is still told', () => {
  const many = Array.from({ length: 30 }, (_, n) => live(`s${n}`, { from: null }))
  const swapped = event('kernel.swapped', { from: '1', to: '2', pause_ms: 1.91 })
  expect(textsOf([...many, swapped]).map(({ text }) => text)).toEqual([
    'kernel 1 → 2, paused 1.9 ms',
    '30 services went live, 0 calls failed',
  ])
})

it('what nobody asked to hear is not told', () => {
  expect(textOf(event('service.starting', { api: 'a' }))).toBeUndefined()
})

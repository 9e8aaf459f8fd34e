/**
 * Chat, calls and logs on a real system, by a person in a browser: text as it comes, cards for calls, a question that is
 * decided on a phone, a cancel, a trace that failed, a replay that differs, and the log.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CHAT_FILES } from '../agents/chat-system.ts'
import { LOOKS, PHONE, startDashboard, violationsOf, visit, type Dashboard } from '../support/browser.ts'

/** Says what its tests need; `goOn` lets it end what it began. */
const SCRIPTED = `export class Module {
  waiting = []
  describe() { return { model: 'script', ready: true, note: 'answers that were written before' } }
  goOn() { const held = this.waiting.splice(0); for (const go of held) go(); return held.length }
  async *stream({ messages, mark, signal }) {
    const last = messages.at(-1).content
    const fence = (call) => 'I call.\\n\`\`\`tool\\n' + call + '\\n\`\`\`'
    let text = 'Hello.'
    if (last === 'slow') {
      yield { type: 'text', text: 'The first half' }
      await new Promise((go, fail) => {
        this.waiting.push(go)
        signal?.addEventListener('abort', () => fail(signal.reason))
      })
      yield { type: 'text', text: ' and the second.' }
      text = 'The first half and the second.'
    } else {
      if (last === 'add') text = fence('{call: calc_add {id: ' + mark + '} {params {a: 2} {b: 3}}}')
      if (last === 'none') text = fence('{call: calc_none {id: ' + mark + '} {params {}}}')
      if (last === 'ask') text = fence('{call: request_human_approval {id: ' + mark + '} {params {question: "May I?"}}}')
      if (last.includes('result: ')) text = last.includes('approved: true') ? 'It was allowed.' : 'Done.'
      yield { type: 'text', text }
    }
    yield { type: 'end', completion: { text, model: 'script', finish: 'stop', usage: null } }
  }
}
`
const CALC = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  double(n) { return n * 2 }
  fail() { throw new Error('the spring is broken') }
  say(level, text) { this.kernel.log[level](text) }
  getAspect(name) {
    if (name !== 'tool') return undefined
    const params = z.object({ a: z.number(), b: z.number() })
    return { add: tool({ description: 'Adds.', params, read_only: true, run: ({ a, b }) => a + b }) }
  }
}
`

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({
    ...CHAT_FILES,
    'configs/agents/assistant.yml': 'api: assistant\nprovider: scripted\nproviders: [offline]\n',
    'configs/services/traces.yml': 'api: traces\n',
    'configs/services/recordings.yml': 'api: recordings\n',
    'configs/services/history.yml': 'api: history\n',
    'configs/scripted.yml': 'prog: scripted\nrecord: false\n',
    'modules/scripted.ts': SCRIPTED,
    'configs/calc.yml': 'prog: calc\n',
    'modules/calc.ts': CALC,
  })
}, 120_000)
afterAll(() => dashboard.close())

async function say(page: Page, text: string): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Message' })
  await box.fill(text)
  await box.press('Enter')
}

const over = (page: Page): Promise<void> => page.getByRole('button', { name: 'Send' }).waitFor()

it('text is shown while it is written, and the turn goes on while another page is looked at', async () => {
  const page = await dashboard.open('#/chat')
  await page.getByText('scripted answers (script)').waitFor()
  await say(page, 'slow')
  await page.getByText('The first half', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Cancel the turn' }).waitFor()
  await visit(page, '#/logs')
  await visit(page, '#/chat')
  await page.getByText('The first half', { exact: true }).waitFor()
  expect(await dashboard.system.call('scripted', 'goOn')).toBe(1)
  await page.getByText('The first half and the second.').waitFor()
  await over(page)
  await page.locator('.chat-foot').getByText('scripted · script').waitFor()
  await page.context().close()
})

it('a call is a card with its parameters, its verdict, its result and its trace, also after a reload of the page', async () => {
  const page = await dashboard.open('#/chat')
  await say(page, 'add')
  const card = page.getByRole('region', { name: 'Call of calc_add' })
  await card.getByText('allowed, done').waitFor()
  expect(await card.getByLabel('Parameters of calc_add').innerText()).toBe('{\n  "a": 2,\n  "b": 3\n}')
  await card.getByText(/^\d[\d.]* ms$/).waitFor()
  await card.getByText('Result, as the model reads it').click()
  expect(await card.getByLabel('Result of calc_add').innerText()).toContain(
    '{result: calc_add {status: success} {data {value: 5}}}',
  )
  await page.getByText('Done.').waitFor()
  await card.getByRole('link', { name: 'Trace' }).click()
  await page.getByRole('row').filter({ hasText: 'calc[tool].add' }).waitFor()
  await page.goBack()
  await page.reload()
  await card.getByText('allowed, done').waitFor()
  await page.getByText('Done.').waitFor()
  await say(page, 'none')
  const failed = page.getByRole('region', { name: 'Call of calc_none' })
  await failed.getByText('tool_not_found', { exact: true }).waitFor()
  expect(await failed.getByText('failed', { exact: true }).count()).toBe(1)
  await page.context().close()
})

it('a turn that asks is decided on a phone, after its effect was shown, and goes on', async () => {
  const page = await dashboard.open('#/chat', PHONE)
  await say(page, 'ask')
  await page.getByText('The turn waits for you').waitFor()
  expect(await page.getByRole('textbox', { name: 'Message' }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Approve' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('May I?').waitFor()
  await dialog.getByText(/^mm approve \w{12}$/).waitFor()
  await dialog.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByText('It was allowed.').waitFor()
  await page.getByText(/Approved: the turn is done, 1 calls in all/).waitFor()
  expect(await page.getByText('The turn waits for you').count()).toBe(0)
  expect(await dashboard.system.call('assistant', 'parked')).toEqual([])
  await page.context().close()
})

it('a conversation that is not kept says so, and a word begins it', async () => {
  const page = await dashboard.open('#/chat/no-such-one')
  await page.getByText('Nothing is kept of this conversation').waitFor()
  expect((await dashboard.system.api('GET', '/api/chat/conversations/no-such-one')).status).toBe(404)
  await say(page, 'hello')
  await page.getByText('Hello.').waitFor()
  expect((await dashboard.system.api('GET', '/api/chat/conversations/no-such-one')).status).toBe(200)
  await page.context().close()
})

it('who is asked for an improvement is one of those that may answer, and the command names it', async () => {
  const page = await dashboard.open('#/services/calc')
  await page.getByRole('link', { name: 'Improve' }).click()
  expect(await page.getByLabel('Service', { exact: true }).inputValue()).toBe('calc')
  await page.getByLabel('Who is asked').selectOption('offline')
  await page.getByLabel('Goal', { exact: true }).fill("it's too slow")
  await page.getByRole('button', { name: 'Ask a model' }).click()
  const dialog = page.getByRole('dialog')
  await dialog
    .getByText(String.raw`mm improve calc --goal 'it'\''s too slow' --provider offline`, { exact: true })
    .waitFor()
  await page.keyboard.press('Escape')
  await page.context().close()
})

it('a cancel hangs up, and the system cuts the turn', async () => {
  const page = await dashboard.open('#/chat')
  await say(page, 'slow')
  await page.getByText('The first half', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Cancel the turn' }).click()
  await page.locator('.chat-foot').getByText('cut', { exact: true }).waitFor()
  const id = decodeURIComponent(new URL(page.url()).hash.split('/').at(-1) ?? '')
  await expect
    .poll(() => dashboard.system.call<{ content: string }[]>('assistant', 'messages', id))
    .toContainEqual(expect.objectContaining({ content: expect.stringContaining('The turn was cut here') as string }))
  await say(page, 'hello')
  await page.getByText('Hello.').waitFor()
  await page.context().close()
})

it('traces that failed are found by a filter, and one says first what failed', async () => {
  await dashboard.system.call('calc', 'fail').catch(() => undefined)
  const page = await dashboard.open('#/calls')
  await page.getByLabel('Only failed').check()
  await page.getByLabel('Service').selectOption('calc')
  const rows = page.getByRole('table', { name: 'Traces' }).getByRole('row')
  await expect.poll(() => rows.allInnerTexts()).toHaveLength(2)
  await page.getByRole('link', { name: 'http → calc.fail' }).click()
  const failed = page.getByRole('region', { name: 'What failed' })
  await failed.getByText('the spring is broken').waitFor()
  await page.getByRole('button', { name: 'More of calc.fail' }).click()
  await page.getByText(/^source \w+, config \w+$/).waitFor()
  await page.getByText(/^mm trace \w{12}$/).waitFor()
  await page.context().close()
})

it('a replay of recorded calls says what another source answers otherwise', async () => {
  for (let n = 0; n < 5; n++) await dashboard.system.call('calc', 'double', n)
  dashboard.root.write('modules/next.ts', CALC.replace('n * 2', 'n < 3 ? n * 2 : n * 3'))
  const page = await dashboard.open('#/calls?tab=recorded&service=calc')
  const kinds = page.getByRole('table', { name: 'Kinds of calls' })
  await expect.poll(() => kinds.getByRole('row').filter({ hasText: 'double' }).innerText()).toMatch(/5\s+5$/)
  await page.getByLabel('Against').fill('modules/next.ts')
  await page.getByRole('button', { name: 'Replay' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('mm replay calc --against modules/next.ts').waitFor()
  await dialog.getByText(/recorded calls are made on two versions/).waitFor()
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click()
  const found = page.getByRole('region', { name: 'What the replay found' })
  await found.getByText('different', { exact: true }).waitFor()
  expect(await found.getByLabel('double, recorded').innerText()).toBe('6')
  expect(await found.getByLabel('double, candidate').innerText()).toBe('9')
  expect(await dashboard.system.call('calc', 'double', 3)).toBe(6)
  await page.context().close()
})

it('the log is followed, by level and by service, searched, and paused', async () => {
  const { system } = dashboard
  await system.call('calc', 'say', 'warn', 'a first warning')
  const page = await dashboard.open('#/logs')
  const log = page.getByRole('log', { name: 'Lines of the log' })
  await log.getByText('a first warning').waitFor()
  await page.getByLabel('Lowest level').selectOption('warn')
  await page.getByLabel('Service').selectOption('calc')
  await page.getByText('mm logs -f --level warn --service calc').waitFor()
  await system.call('calc', 'say', 'info', 'only said')
  await system.call('calc', 'say', 'error', 'it burned')
  await log.getByText('it burned').waitFor()
  expect(await log.getByText('only said').count()).toBe(0)
  await page.getByLabel('Search').fill('BURN')
  await expect.poll(() => log.getByText('a first warning').count()).toBe(0)
  await page.getByLabel('Search').fill('')
  await page.getByRole('button', { name: 'Pause' }).click()
  await system.call('calc', 'say', 'warn', 'while it was paused')
  const second = await dashboard.open('#/logs')
  await second.getByText('while it was paused').waitFor()
  expect(await log.getByText('while it was paused').count()).toBe(0)
  await page.getByRole('button', { name: 'Go on' }).click()
  await log.getByText('while it was paused').waitFor()
  await second.context().close()
  await page.context().close()
})

it('axe-core finds nothing where there is something to see: calls in a chat, a trace that failed, the log', async () => {
  await dashboard.system.call('calc', 'fail').catch(() => undefined)
  const { body } = await dashboard.system.api<{ conversation_id: string }>('POST', '/api/chat', { message: 'add' })
  const { body: traces } = await dashboard.system.api<{ traces: { trace: string }[] }>('GET', '/api/traces?errors=true')
  const places = [
    `#/chat/${body.conversation_id}`,
    `#/calls/${traces.traces[0]?.trace}`,
    '#/calls',
    '#/logs?level=debug',
  ]
  for (const look of LOOKS) {
    const page = await dashboard.open('', look)
    for (const place of places) {
      await visit(page, place)
      expect([place, look, await violationsOf(page)]).toEqual([place, look, []])
    }
    await page.context().close()
  }
})

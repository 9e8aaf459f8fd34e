/**
 * Changes and approvals in the page, on a real system: a proposal posted over HTTP waits, is approved on a phone, its
 * bytes are on disk, and Undo brings back the ones before; CRITICAL takes two; a changed file is told in words.
 */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { LOOKS, PHONE, settled, startDashboard, violationsOf, visit, type Dashboard } from '../support/browser.ts'
import { CONTROL_FILES, propose, SHOP } from '../support/web-control.ts'

const CONFIG = 'configs/shop.yml'
const MODULE = 'modules/shop.ts'
/** Not what the model answers: the same text again would be the same change. */
const FASTER = SHOP.replace(/let total[\s\S]*return total/, 'return Math.ceil(count) * 3')

let dashboard: Dashboard
let page: Page
beforeAll(async () => {
  dashboard = await startDashboard(CONTROL_FILES)
})
afterEach(() => page.context().close())
afterAll(() => dashboard.close())

const read = (path: string): string => dashboard.root.read(path)
const withDiscount = (discount: number): string => read(CONFIG).replace(/discount: \d+/, `discount: ${discount}`)
const press = (name: string | RegExp): Promise<void> => page.getByRole('button', { name, exact: true }).click()
const stateOf = async (id: string): Promise<unknown> =>
  (await dashboard.system.api<{ state: string }>('GET', `/api/changes/${id}`)).body.state

/** From the list to the one that waits, as a thumb does it. */
async function openOnPhone(title: string): Promise<void> {
  page = await dashboard.open('#/inbox', PHONE)
  await page.getByRole('link', { name: title }).click()
  await page.getByRole('heading', { name: 'Your decision' }).waitFor()
  await settled(page)
}

it('a change that waits is approved on a phone with one press, runs, and Undo brings back the exact bytes', async () => {
  const before = read(CONFIG)
  const { id, approval_id } = await propose(dashboard, CONFIG, withDiscount(12), { title: 'Raise the discount' })
  await openOnPhone('Raise the discount')
  expect(page.url()).toContain(approval_id)
  await page.getByText('discount: 12').waitFor()
  await page
    .getByRole('heading', { name: 'shop configure' })
    .or(page.getByRole('heading', { name: 'shop reload' }))
    .waitFor()
  const approve = page.getByRole('button', { name: 'Approve', exact: true })
  const box = await approve.boundingBox()
  expect(box?.height).toBeGreaterThanOrEqual(44)
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(740)
  await approve.click()
  await page.getByText('Approved and done: Raise the discount').waitFor()
  expect(read(CONFIG)).toBe(before.replace('10', '12'))
  await page.getByText(/approved by operator/).waitFor()
  await page.getByRole('region', { name: 'What the action answered' }).getByText(id).waitFor()
  await page.getByRole('link', { name: id, exact: true }).click()
  await page.getByRole('list', { name: 'Stages' }).getByText('verified: here').waitFor()

  await press('Undo')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The exact bytes before it come back').waitFor()
  await dialog.getByRole('heading', { name: /^shop/ }).waitFor()
  await dialog.getByText(`mm undo ${id}`).waitFor()
  expect(read(CONFIG)).not.toBe(before)
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click()
  await page.getByText(`${id} undone: 1 file as before`).waitFor()
  expect(read(CONFIG)).toBe(before)
  await page.getByRole('list', { name: 'Stages' }).getByText('undone: ended here').waitFor()
})

it('CRITICAL takes two confirmations, the second with a reason; calls go on meanwhile', async () => {
  const { id } = await propose(dashboard, MODULE, FASTER, { title: 'Multiply instead of adding' })
  await openOnPhone('Multiply instead of adding')
  await press('Confirm (1 of 2)')
  await page.getByText('Confirmed once: Multiply instead of adding').waitFor()
  const second = page.getByRole('button', { name: 'Approve (2 of 2)' })
  await second.waitFor()
  await second.click()
  await page.getByText('Write why first.').waitFor()
  expect(read(MODULE)).toBe(SHOP)
  await page.getByLabel('Reason', { exact: true }).fill('looked at it')
  await second.click()
  await page.getByText('Approved and done').waitFor()
  expect(read(MODULE)).toBe(FASTER)
  expect(await dashboard.system.call('shop', 'price', 4)).toBe(12)
  await page.getByText(/: looked at it/).waitFor()
  await dashboard.system.api('POST', `/api/changes/${id}/undo`, { by: 'ada' })
  expect(read(MODULE)).toBe(SHOP)
})

it('a file that was changed meanwhile is told in words; a rejection needs a reason, and is seen at once', async () => {
  const { id } = await propose(dashboard, CONFIG, withDiscount(13), { title: 'Raise it to thirteen' })
  await openOnPhone('Raise it to thirteen')
  dashboard.root.write(CONFIG, `${read(CONFIG)}# by hand\n`)
  await press('Approve')
  const alert = page.getByRole('dialog').getByRole('alert')
  await alert.getByText(`was asked for while ${CONFIG} was another`).waitFor()
  await alert.getByText('What was looked at then is not what would be changed now').waitFor()
  await page.keyboard.press('Escape')
  expect(read(CONFIG)).toContain('# by hand')
  const reject = page.getByRole('button', { name: 'Reject', exact: true })
  await reject.click()
  await page.getByText('Write why first.').waitFor()
  await page.keyboard.type('it was edited')
  await reject.click()
  await page.getByText('Rejected: Raise it to thirteen').waitFor()
  await page.getByText(/rejected by operator.*: it was edited/).waitFor()
  expect(await stateOf(id)).toBe('rejected')
  await visit(page, `#/changes/${id}`)
  await page.getByRole('list', { name: 'Stages' }).getByText('approved: ended here').waitFor()
})

it('a tool call of a model waits, is approved for a while, and the next one goes through without asking', async () => {
  const call = (discount: number) =>
    dashboard.system.call<{ status: string }>(
      'tools',
      'invoke',
      'config_edit',
      { service: 'shop', set: { discount } },
      { caller: 'assistant' },
    )
  expect(await call(21)).toMatchObject({ status: 'error', error: { code: 'tool_waits' } })
  page = await dashboard.open('#/inbox')
  await page.getByText('discount 10 → 21').waitFor()
  await page.getByLabel('It allows').selectOption('service')
  await page.getByLabel('For so many hours').fill('8')
  await page.getByText('The same on the command line').click()
  await page.getByText(/mm approve \S+ --scope service --for 8/).waitFor()
  await press('Approve')
  await page.getByText(/Approved and done: assistant would call config_edit/).waitFor()
  expect(read(CONFIG)).toContain('discount: 21')
  await page.getByText('Nothing waits for you').waitFor()
  expect(await call(22)).toMatchObject({ status: 'success' })
  expect(read(CONFIG)).toContain('discount: 22')
})

it('a change is followed without a reload of the page: proposed, live, measured, kept, with the values it was judged by', async () => {
  page = await dashboard.open('#/changes')
  const { system } = dashboard
  for (let n = 0; n < 30; n++) await system.call('shop', 'price', n)
  const mine = await propose(dashboard, CONFIG, withDiscount(30), {
    origin: 'human',
    title: 'Thirty for a day',
    verify: { window_ms: 400, samples_min: 0 },
  })
  const row = page.getByRole('link').filter({ hasText: 'Thirty for a day' })
  await row.getByText('confirmed', { exact: true }).waitFor()
  await row.click()
  await page.getByRole('list', { name: 'Stages' }).getByText('kept: done').waitFor()
  await page.getByRole('table', { name: 'Values of round 1' }).getByText('share of errors').waitFor()
  await page.getByRole('link', { name: /entries: / }).click()
  await page.getByRole('row').filter({ hasText: 'change_verified' }).waitFor()
  expect(page.url()).toContain(`#/ledger/${mine.id}`)
})

it('a model is asked from the page: the answer that is refused shows its counterexample, the good one waits', async () => {
  const { system } = dashboard
  for (let n = 0; n < 20; n++) await system.call('shop', 'price', n)
  page = await dashboard.open('#/changes?tab=improve')
  await page.getByLabel('Service', { exact: true }).fill('shop')
  await page.getByLabel('Goal', { exact: true }).fill('Halve the time of price, with the same prices')
  await press('Ask a model')
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/\d+, which an answer has to make alike/).waitFor()
  await dialog.getByText('mm improve shop --goal').waitFor()
  await dialog.getByRole('button', { name: 'Ask a model', exact: true }).click()
  await page.getByText('refused by replay').waitFor({ timeout: 120_000 })
  await page
    .getByText(/^counterexample: price\(/)
    .first()
    .waitFor()
  const change = page.getByRole('link', { name: /^The change c\d+$/ })
  await change.waitFor({ timeout: 120_000 })
  await change.click()
  await page.getByRole('link', { name: 'Decide' }).waitFor()
  await page.getByText('made_calls').waitFor()
  await page.getByText('script of model').waitFor()
  expect(read(MODULE)).toBe(SHOP)
})

it.each(LOOKS)(
  'axe-core finds nothing on one change, approval, improvement or question: $theme, $width px',
  async (look) => {
    const { system } = dashboard
    const { body: listed } = await system.api<{ approvals: { approval_id: string }[] }>('GET', '/api/approvals')
    const [first] = listed.approvals
    page = await dashboard.open('', look)
    const places = ['#/changes/c1', '#/changes/i1', '#/inbox?state=approved', '#/ledger/c1', '#/ledger?entry=1']
    for (const place of [`#/inbox/${first?.approval_id}`, ...places]) {
      await visit(page, place)
      expect([place, await violationsOf(page)]).toEqual([place, []])
    }
    await visit(page, '#/policy')
    await press('Rewrite the policy')
    await page.getByText('by gate_config').waitFor()
    expect(await violationsOf(page)).toEqual([])
  },
)

/**
 * The tour from its first to its last step, as a person takes it: files are edited on disk, the improvement is
 * approved on a phone, and what is no file is done by its buttons. Each step is marked by what the system shows.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PHONE, startDashboard, visit, type Dashboard } from '../support/browser.ts'
import { productRoot } from '../support/product.ts'

let dashboard: Dashboard
beforeAll(async () => {
  const root = productRoot({ 'configs/ticker.yml': null, 'modules/ticker.ts': null })
  root.write(
    'configs/control/rollouts.yml',
    `${root.read('configs/control/rollouts.yml')}window_ms: 4000\nsamples_min: 30\ncheck_ms: 200\n`,
  )
  root.write('configs/services/recordings.yml', `${root.read('configs/services/recordings.yml')}write_ms: 100\n`)
  dashboard = await startDashboard(root)
}, 120_000)
afterAll(() => dashboard.close())

const SOURCE = 'modules/tour/ticker.ts'
const CONFIG = 'configs/tour/ticker.yml'
const LONG = { timeout: 90_000 }

const step = (page: Page, title: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title, exact: true }) })
const done = (page: Page, title: string): Promise<void> =>
  step(page, title).getByText('done', { exact: true }).waitFor(LONG)

async function press(page: Page, title: string): Promise<void> {
  await step(page, title).getByRole('button', { name: 'Do it' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The page does what you would do by hand').waitFor()
  await dialog.getByRole('button', { name: 'Do it' }).click()
  const failure = dialog.getByRole('alert')
  await dialog.waitFor({ state: 'detached', ...LONG }).catch(async (thrown: unknown) => {
    throw (await failure.isVisible())
      ? new Error(
          [
            title,
            await failure.innerText(),
            ...dashboard.system.output.filter((line) => !/INFO/.test(line)).slice(-12),
          ].join('\n'),
        )
      : thrown
  })
  await done(page, title)
}

const count = async (): Promise<number> => Number(await dashboard.system.call('tour/ticker', 'count'))

it('an empty system offers the tour, and every step of it comes true', async () => {
  const { root } = dashboard
  const page = await dashboard.open()
  page.setDefaultTimeout(30_000)
  await page.getByRole('button', { name: 'Take the tour' }).click()
  await press(page, 'Drop a module in')

  root.write(CONFIG, root.read(CONFIG).replace('200', '100'))
  await page.getByText(/tour\/ticker g1 → g2, \d+ ms, 0 failed, state carried/).waitFor()
  await done(page, 'Edit its YAML while it runs')

  root.write(SOURCE, root.read(SOURCE).trimEnd().slice(0, -1))
  await page
    .getByRole('alert')
    .getByText(/modules\/tour\/ticker\.ts:\d+/)
    .waitFor()
  expect(await count()).toBeGreaterThan(0)
  await done(page, 'Break it')
  await press(page, 'Mend it, with a method more')
  await page.getByRole('alert').filter({ hasText: SOURCE }).waitFor({ state: 'detached' })
  await press(page, 'Ask, and see a tool called')

  await press(page, 'It wants to change its own judge')
  await step(page, 'It wants to change its own judge')
    .getByText(/NEVER by the rule/)
    .waitFor()
  await press(page, 'Quicker, and wrong')
  await step(page, 'Quicker, and wrong')
    .getByText(/counterexample: count\(\d+\)/)
    .waitFor()
  await press(page, 'Quicker, and right')

  await approveOnAPhone()
  await done(page, 'Say yes')
  await press(page, 'Let a bad module in')

  const before = await count()
  const [, ticker = ''] = /g(\d+)/.exec(await step(page, 'Mend it, with a method more').innerText()) ?? []
  root.write('configs/meta-v2.0.0.yml', `${root.read('configs/meta-v1.0.0.yml')}# newer\n`)
  await page
    .getByText(/kernel 1\.0\.0 → 2\.0\.0, paused [\d.]+ ms/)
    .first()
    .waitFor()
  await done(page, 'Replace the kernel')
  expect(await count()).toBeGreaterThanOrEqual(before)
  await step(page, 'Replace the kernel').getByText(`still g${ticker}`).waitFor()
  await press(page, 'Replace it with a broken one')
  await press(page, 'Check the record')
  await press(page, 'Take a change back')
  await press(page, 'Leave it as it was')
  await page.getByText('15 of 15 done').waitFor()
  await page.context().close()
}, 400_000)

/** The proposal that waits, in the inbox of a phone: code that goes live wants a second yes, with its reason. */
async function approveOnAPhone(): Promise<void> {
  const phone = await dashboard.open('', PHONE)
  await visit(phone, '#/inbox')
  await phone.getByText('Stop at the root').first().click()
  await phone.getByRole('button', { name: 'Confirm (1 of 2)' }).click()
  const second = phone.getByRole('button', { name: 'Approve (2 of 2)' })
  await second.waitFor(LONG)
  await phone.getByRole('textbox', { name: 'Reason' }).fill('looked at it twice')
  await second.click()
  await phone.getByText('Approved and done').waitFor(LONG)
  await phone.context().close()
}

it('a step may be skipped, and the tour be started anew', async () => {
  const page = await dashboard.open('#/tour')
  await step(page, 'Drop a module in').getByRole('button', { name: 'Skip' }).click()
  await step(page, 'Drop a module in').getByText('skipped').waitFor()
  await page.getByRole('button', { name: 'Start anew' }).click()
  await step(page, 'Drop a module in').getByRole('button', { name: 'Do it' }).waitFor()
  await page.context().close()
})

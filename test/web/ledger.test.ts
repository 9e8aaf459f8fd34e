/** The ledger and the policy in the page, on a real system: pages and filters, the check of the chain, export, questions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../modules/lib/sqlite.ts'
import { startDashboard, type Dashboard } from '../support/browser.ts'
import { CONTROL_FILES, propose } from '../support/web-control.ts'

const ENTRIES = 130

let dashboard: Dashboard
let page: Page
beforeAll(async () => {
  dashboard = await startDashboard(CONTROL_FILES)
  const { system, root } = dashboard
  for (let n = 1; n <= ENTRIES; n++)
    await system.call('ledger', 'append', {
      actor: n % 2 === 0 ? 'bob' : 'ada',
      origin: 'test',
      action: 'probe_made',
      resource: `probe:${n}`,
      outcome: 'ok',
    })
  await propose(dashboard, 'configs/shop.yml', root.read('configs/shop.yml').replace('10', '11'))
})
afterEach(() => page.context().close())
afterAll(() => dashboard.close())

const rows = () => page.getByRole('table', { name: 'Entries' }).getByRole('row')
const head = async (): Promise<number> =>
  (await dashboard.system.api<{ head: { sequence: number } }>('GET', '/api/ledger?limit=1')).body.head.sequence

it('entries come newest first, older ones page by page, narrowed by who and what; one is shown with its hash', async () => {
  page = await dashboard.open('#/ledger')
  const last = await head()
  await rows().nth(1).getByText(String(last), { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Older' }).click()
  await rows().last().getByRole('link', { name: '1', exact: true }).waitFor()
  expect(await rows().count()).toBe(last - 100 + 1)
  await page.getByRole('button', { name: 'Newest' }).click()
  await page.getByLabel('Who').fill('bob')
  await page.getByLabel('What').fill('probe_made')
  await page.waitForURL(/actor=bob.*action=probe_made|action=probe_made.*actor=bob/)
  await expect.poll(() => rows().count()).toBe(ENTRIES / 2 + 1)
  expect(await page.getByRole('table', { name: 'Entries' }).getByText('ada').count()).toBe(0)
  await page.getByRole('link', { name: '130', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Entry 130' })
  await dialog.getByText('probe:130').waitFor()
  await dialog
    .getByText(/^[0-9a-f]{64}$/)
    .first()
    .waitFor()
  await page.keyboard.press('Escape')
  await page.getByLabel('Who').fill('nobody')
  await page.getByText('No entry fits').waitFor()
})

it('the evolution log has a line for the change, and every entry of it', async () => {
  page = await dashboard.open('#/ledger?tab=cycles')
  await page.getByRole('link', { name: 'c1', exact: true }).click()
  await page.getByRole('table', { name: 'Entries of c1' }).getByText('change_proposed').waitFor()
  await page.getByText('mm ledger replay c1').waitFor()
  await page.getByRole('link', { name: 'The change c1' }).waitFor()
})

it('the export is every entry as the command line has it, a line each', async () => {
  page = await dashboard.open('#/ledger')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const lines = readFileSync((await (await download).path()) ?? '', 'utf8')
    .trimEnd()
    .split('\n')
  const { body } = await dashboard.system.api<{ entries: unknown[] }>('GET', '/api/ledger?after=0&limit=1000')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(body.entries)
  await page.getByText(`${lines.length} entries are in ledger.jsonl`).waitFor()
})

it('the policy says what would become of a question, by which rule, and what is in force follows its file', async () => {
  page = await dashboard.open('#/policy')
  const said = page.getByRole('region', { name: 'What the policy says' })
  await page.getByRole('button', { name: 'Rewrite the policy' }).click()
  await said.getByText('by gate_config').waitFor()
  await said.getByText('It would be refused.').waitFor()
  await page.getByText('mm policy check configs/control/policy.yml').waitFor()
  await page.getByLabel('File', { exact: true }).fill('modules/reports/daily.ts')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await said.getByText('by not_the_reports').waitFor()
  await page.getByLabel('What', { exact: true }).selectOption('value')
  await page.getByLabel('Config').fill('configs/shop.yml')
  await page.getByLabel('Key', { exact: true }).fill('harness.retry_limit')
  await page.getByLabel('New value').fill('3')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await said.getByText('HUMAN_REVIEW').first().waitFor()
  await page.getByText('every change of the system waits for a person').waitFor()
  dashboard.root.write('configs/control/policy.yml', 'api: policy\nprofile: dev\n')
  await page.getByText('tuning goes through, the rest waits').waitFor()
  await page.getByRole('row', { name: /^dev in force/ }).waitFor()
})

it('Verify says that all is as it was written, and names the entry that is not', async () => {
  page = await dashboard.open('#/ledger')
  const verify = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Verify', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/Reads \d+ entries/).waitFor()
    await dialog.getByText('mm ledger verify').waitFor()
    await dialog.getByRole('button', { name: 'Verify', exact: true }).click()
  }
  await verify()
  await page.getByText(`${await head()} entries, all as they were written`).waitFor()
  await page.getByText('whole', { exact: true }).waitFor()
  const file = join(dashboard.root.path, 'runtime', 'control', 'ledger.db')
  const connection = await openDatabase(file, 5_000)
  connection.prepare(`UPDATE entries SET text = replace(text, 'probe:7"', 'probe:8"') WHERE sequence = 7`).run([])
  connection.close()
  await verify()
  await page.getByText('Entry 7 is not what was written: it was altered').first().waitFor()
  await page.getByText('The ledger is not what was written').waitFor()
})

/**
 * `npm run screenshots`: every page of a real system in which a few things have happened, in both themes, into docs/img/.
 * A page is taken when nothing on it is loading any more.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PAGES, type PageInfo } from '../../web/src/pages.ts'
import { startDashboard, visit } from '../support/browser.ts'
import { liveALittle, productRoot } from '../support/product.ts'
import { packageRoot } from '../support/root.ts'

const FOLDER = join(packageRoot, 'docs', 'img')
const wanted = process.argv.slice(2)

mkdirSync(FOLDER, { recursive: true })
const dashboard = await startDashboard(productRoot())
const { system } = dashboard
const pages = PAGES.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
try {
  await liveALittle(system, dashboard.root)
  await takeAll(pages.filter(({ id }) => id !== 'now'))
  // The first look is at a system that is well and at work.
  await system.api('POST', '/api/services/ticker/undo')
  let isOver = false
  const work = keepCalling(() => isOver)
  await takeAll(pages.filter(({ id }) => id === 'now'))
  isOver = true
  await work
} finally {
  await dashboard.close()
}

async function takeAll(some: readonly PageInfo[]): Promise<void> {
  for (const theme of ['dark', 'light'] as const) {
    const page = await dashboard.open('', { theme })
    await page.evaluate(() => sessionStorage.setItem('tour hint', 'closed'))
    await page.reload()
    for (const { id, examples = [] } of some) {
      // A list says less than what it leads to.
      const place = id === 'services' ? (examples[0] ?? `#/${id}`) : `#/${id}`
      await visit(page, place.replace('/http', '/ticker'))
      await page.waitForFunction(() => document.querySelector('.toast') === null)
      // Rates come from two readings.
      if (id === 'now')
        await page.waitForFunction(
          () => /\d\/s/.test(document.body.innerText) && !document.body.innerText.includes('–/s'),
        )
      await page.screenshot({ path: join(FOLDER, `${id}-${theme}.png`) })
      console.log(`docs/img/${id}-${theme}.png`)
    }
    await page.context().close()
  }
}

async function keepCalling(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await Promise.all([
      system.call('ticker', 'tick'),
      system.call('database', 'query', 'SELECT 1 AS one'),
      system.api('POST', '/api/tools/kernel_list_services', {}),
    ])
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
}

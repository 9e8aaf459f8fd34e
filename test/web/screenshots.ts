/**
 * `npm run screenshots`: every page of a real system in which a few things have happened, in both themes, into docs/img/.
 * A page is taken when nothing on it is loading any more.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PAGES } from '../../web/src/pages.ts'
import { startDashboard, visit } from '../support/browser.ts'
import { liveALittle, productRoot } from '../support/product.ts'
import { packageRoot } from '../support/root.ts'

const FOLDER = join(packageRoot, 'docs', 'img')
const wanted = process.argv.slice(2)

mkdirSync(FOLDER, { recursive: true })
const dashboard = await startDashboard(productRoot())
try {
  await liveALittle(dashboard.system, dashboard.root)
  const pages = PAGES.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
  for (const theme of ['dark', 'light'] as const) {
    const page = await dashboard.open('', { theme })
    await page.evaluate(() => sessionStorage.setItem('tour hint', 'closed'))
    await page.reload()
    for (const { id, examples = [] } of pages) {
      // A list says less than what it leads to.
      const place = id === 'services' ? (examples[0] ?? `#/${id}`) : `#/${id}`
      await visit(page, place.replace('/http', '/ticker'))
      const toasts = page.locator('.toast')
      if ((await toasts.count()) > 0) await page.waitForFunction(() => document.querySelector('.toast') === null)
      await page.screenshot({ path: join(FOLDER, `${id}-${theme}.png`) })
      console.log(`docs/img/${id}-${theme}.png`)
    }
    await page.context().close()
  }
} finally {
  await dashboard.close()
}

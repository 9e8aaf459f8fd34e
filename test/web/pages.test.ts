/**
 * Every page of the table, on a real system with everything in it: what axe-core finds in both themes, on a desk and on
 * a phone; what is too wide; what moves after it was shown; whether the keyboard reaches and sees everything.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PAGES } from '../../web/src/pages.ts'
import { LOOKS, settled, startDashboard, violationsOf, visit, type Dashboard } from '../support/browser.ts'
import { liveALittle, productRoot } from '../support/product.ts'

const PLACES = PAGES.flatMap(({ id, examples = [] }) => [`#/${id}`, ...examples])

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard(productRoot())
  await liveALittle(dashboard.system, dashboard.root)
}, 120_000)
afterAll(() => dashboard.close())

/** What reaches beyond the right edge, as a person would notice it: the page scrolls sideways. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width) return []
    const all = [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > width + 1)
    return all.slice(0, 5).map((one) => `${one.tagName} ${one.className}`)
  })

it.each(LOOKS)('axe-core finds nothing on any page, and none is too wide: $theme, $width px', async (look) => {
  const page = await dashboard.open('', look)
  for (const place of PLACES) {
    await visit(page, place)
    expect([place, await violationsOf(page)]).toEqual([place, []])
    expect([place, await tooWide(page)]).toEqual([place, []])
  }
  await page.context().close()
})

it('what is shown stays where it is: no page shifts by itself', async () => {
  const page = await dashboard.open()
  await page.evaluate(() => {
    const shifts: number[] = []
    Object.assign(window, { shifts })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
        if (!hadRecentInput) shifts.push(value)
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })
  const shifted: [string, number][] = []
  for (const place of PLACES) {
    await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.splice(0))
    await visit(page, place)
    // A page that is loaded takes the place of what said so: what counts is what moves once it is there.
    await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.splice(0))
    await dashboard.system.api('POST', '/api/services/ticker/reload')
    await page
      .getByText(/ticker g\d+ → g\d+/)
      .last()
      .waitFor()
    const all = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    shifted.push([place, all.reduce((sum, value) => sum + value, 0)])
    await settled(page)
  }
  // 0.1 is what is called good for a whole visit.
  expect(shifted.filter(([, shift]) => shift > 0.1)).toEqual([])
  await page.context().close()
})

it('the keyboard reaches everything that can be pressed, in the order it stands in, and shows where it is', async () => {
  const page = await dashboard.open()
  for (const { id } of PAGES) {
    await visit(page, `#/${id}`)
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    const seen: string[] = []
    for (let n = 0; n < 12; n++) {
      await page.keyboard.press('Tab')
      const here = await page.evaluate(() => {
        const one = document.activeElement
        if (one === null || one === document.body) return undefined
        const { outlineStyle, outlineWidth } = getComputedStyle(one)
        const { width, height } = one.getBoundingClientRect()
        return {
          name: one.outerHTML.slice(0, 80),
          seen: outlineStyle !== 'none' && outlineWidth !== '0px' && width * height > 0,
        }
      })
      if (here === undefined) break
      if (!here.seen) seen.push(here.name)
    }
    expect([id, seen]).toEqual([id, []])
  }
  const positive = await page.locator('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').count()
  expect(positive).toBe(0)
  await page.context().close()
})

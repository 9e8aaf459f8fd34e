/**
 * The dashboard as a person has it: a real system as a process of its own, real files on disk, and Debian's chromium.
 * One browser and one system serve all tests of a file. What a page complains of (errors, its content policy) is
 * collected, and `close` fails on it: a test that provokes some takes it out of `complaints`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { buildWeb } from '../../scripts/web.mjs'
import { startProcess, type RunningSystem } from './process.ts'
import { createRoot, packageRoot, type TestRoot } from './root.ts'

export interface Look {
  /** @default 'dark' */
  theme?: 'dark' | 'light'
  /** @default 1280 */
  width?: number
  /** @default 800 */
  height?: number
}

export interface Violation {
  id: string
  help: string
  nodes: string[]
}

export interface Dashboard {
  readonly root: TestRoot
  readonly system: RunningSystem
  /** what pages said went wrong; empty at the end */
  readonly complaints: string[]
  /** A new page in a context of its own, signed in. `path`: as `#/services/http`. Resolves when the page is there. */
  open(path?: string, look?: Look): Promise<Page>
  close(): Promise<void>
}

export const PHONE: Look = { width: 360, height: 740 }
/** The looks in which each page has to be right. */
export const LOOKS: readonly Required<Look>[] = (['dark', 'light'] as const).flatMap((theme) => [
  { theme, width: 1280, height: 800 },
  { theme, width: 360, height: 740 },
])

const EXECUTABLE = process.env['MM_CHROMIUM'] ?? '/usr/bin/chromium'
const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }

/** `files`: what the root holds beside the kernel and http. `root`: one that is there, with an http of its own. */
export async function startDashboard(files: Record<string, string> | TestRoot = {}): Promise<Dashboard> {
  const isRoot = 'path' in files && typeof files.dispose === 'function'
  await buildWeb()
  const root = isRoot ? (files as TestRoot) : createRoot({ ...HTTP, ...(files as Record<string, string>) })
  const [system, browser] = await Promise.all([
    startProcess(root),
    chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] }),
  ])
  const complaints: string[] = []
  const open: Dashboard['open'] = async (path = '', { theme = 'dark', width = 1280, height = 800 } = {}) => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      // That a request was refused or the system was away is told by the page itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    await page.goto(`${system.url}/#token=${system.token}`)
    await page.locator('.header-state').waitFor()
    if (path !== '') await visit(page, path)
    return page
  }
  const close = async (): Promise<void> => {
    await browser.close()
    await system.stop()
    root.dispose()
    if (complaints.length > 0) throw new Error(`pages complained:\n${complaints.join('\n')}`)
  }
  return { root, system, complaints, open, close }
}

/** Goes to `#/…` and waits until the page and what it asks for are there. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((hash) => {
    window.location.hash = hash
  }, path)
  await settled(page)
}

/** Resolves when nothing says any more that it is loading. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('.spinner') === null)
}

const AXE = readFileSync(join(packageRoot, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')

/** What axe-core finds wrong on the page as it is now. */
export async function violationsOf(page: Page): Promise<Violation[]> {
  // The page's policy lets no script in; the developer tools may.
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: AxeViolation[] }> } }
    interface AxeViolation {
      id: string
      help: string
      nodes: { target: unknown[]; failureSummary?: string }[]
    }
    const { violations } = await axe.run()
    return violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.slice(0, 5).map(({ target, failureSummary = '' }) => `${target.join(' ')}: ${failureSummary}`),
    }))
  })
}

/**
 * `mm dashboard`: opens the page of the running system in the browser, signed in. What the browser is started with is
 * a file for this user only, and not the address itself: the arguments of a process can be read by everybody, and the
 * address has the token in it.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from 'commander'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { bold, dim, print, printJson } from './output.ts'

/** Beside the token it holds. */
const FILE = 'runtime/dashboard.html'

/** With the token, behind `#`: a browser sends that to nobody. */
export const dashboardUrl = (url: string, token: string): string => `${url}/#token=${token}`

async function dashboard({ root, json }: Common, { open }: { open: boolean }): Promise<void> {
  const client = new Client(root)
  // A system that is gone may have left its address behind.
  await client.get('/health')
  const url = dashboardUrl(client.address.url, client.operatorToken)
  const isOpened = !json && open && process.stdout.isTTY === true && (await startBrowser(root, url))
  if (json) {
    printJson({ url })
    return
  }
  print(bold(url))
  print(dim(isOpened ? 'opened in the browser' : 'the address lets in whoever has it: it holds the token'))
}

/** False when there is none to start. */
function startBrowser(root: string, url: string): Promise<boolean> {
  const file = join(root, FILE)
  realFileSystem.write(file, pageTo(url), { mode: 0o600 })
  const [command, ...args] = STARTERS[process.platform] ?? ['xdg-open']
  return new Promise((resolve) => {
    const child = spawn(command ?? '', [...args, file], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

const STARTERS: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

const pageTo = (url: string): string =>
  `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${url}"><a href="${url}">meta-machine</a>\n`

export function addDashboard(program: Command, { common }: Cli): void {
  prints(
    program
      .command('dashboard')
      .description('open the page of the running system in the browser, signed in')
      .option('--no-open', 'print its address only')
      .action((options: { open: boolean }) => dashboard(common(), options)),
    '{url}',
  )
}

/**
 * `mm up`: a small parent with the system as its child. The parent owns the terminal, the lock and the signals; the
 * first signal is an orderly stop, the second one ends at once. A child that dies unasked is started again, a few
 * times; one that cannot start at all is the end.
 */
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { KernelStatus } from '../modules/contracts/kernel.ts'
import { coded, reasonOf } from '../modules/lib/errors.ts'
import type { Lock } from '../modules/lib/lock.ts'
import { describeStall, isCertain, parseStall, STALL_FILE, type Stall } from '../modules/lib/stall.ts'
import { SystemChild, type Exit } from './child.ts'
import { claimRoot } from './claim.ts'
import { readAddress, type Address } from './client.ts'
import { dashboardUrl } from './dashboard.ts'
import { bold, dim, print, red } from './output.ts'
import { openPrompt, type Prompt } from './prompt.ts'
import type { Command } from 'commander'
import { prints, type Cli } from './common.ts'

const STOP_MS = 10_000
/** what a system may take to end beyond its deadline */
const FORCE_MS = 4_000
const RESTARTS_MAX = 5
const NAME_RETRY_MS = 1_000
const RESTART_WINDOW_MS = 60_000

export interface UpOptions {
  root: string
  repl: boolean
  safe: boolean
}

async function up(options: UpOptions): Promise<number> {
  const root = resolve(options.root)
  if (statSync(join(root, 'configs'), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw coded('root_missing', { root, part: 'configs/' })
  }
  const lock = await claimRoot(root, STOP_MS + FORCE_MS)
  try {
    return await new Parent({ ...options, root }, lock).run()
  } finally {
    forgetAddress(root)
    lock.release()
  }
}

/** Where nothing can be written the old one stays until the new system can write its own. */
function forgetAddress(root: string): void {
  try {
    rmSync(join(root, 'runtime', 'http.json'), { force: true })
  } catch {
    return
  }
}

class Parent {
  private readonly options: UpOptions
  private readonly lock: Lock
  private child: SystemChild | undefined
  private prompt: Prompt | undefined
  private stopping = false
  private settledOnce = false
  private readonly starts: number[] = []
  private endWait: () => void = () => {}

  constructor(options: UpOptions, lock: Lock) {
    this.options = options
    this.lock = lock
  }

  async run(): Promise<number> {
    const onSignal = (): void => this.signal()
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    process.on('SIGHUP', onSignal)
    try {
      for (;;) {
        const exit = await this.startChild()
        if (this.stopping) return exit.code === 0 ? 0 : 1
        if (!this.settledOnce && exit.code !== null && exit.code !== 0) return exit.code
        if (exit.code === 0) return 0
        if (!(await this.mayRestart(exit))) return 0
      }
    } finally {
      this.prompt?.close()
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      process.off('SIGHUP', onSignal)
    }
  }

  private startChild(): Promise<Exit> {
    forgetAddress(this.options.root)
    this.starts.push(performance.now())
    this.child = new SystemChild({
      ...this.options,
      color: process.stdout.isTTY === true,
      onLine: (line) => this.say(line),
      onMessage: (message) => {
        if (message.type === 'settled') this.settled((message as { status?: KernelStatus }).status)
      },
    })
    this.nameChild(this.child.pid)
    return this.child.exited
  }

  /** Until the lock names it, the next start would not wait for a system that its parent left behind. */
  private nameChild(pid: number | undefined, told = false): void {
    try {
      if (pid !== undefined) this.lock.runs(pid)
      if (told) this.say(dim('runtime/lock is written'))
    } catch (thrown) {
      if (!told)
        this.say(red(`${reasonOf(thrown)}; if this process is killed, the next start may not wait for the system`))
      setTimeout(() => {
        if (this.child?.pid === pid && !this.stopping) this.nameChild(pid, true)
      }, NAME_RETRY_MS).unref()
    }
  }

  /** False when a stop was asked for meanwhile. Throws `restarts_exceeded`. */
  private async mayRestart(exit: Exit): Promise<boolean> {
    const how = this.reasonOf(exit)
    const now = performance.now()
    const recent = this.starts.filter((at) => now - at < RESTART_WINDOW_MS).length
    if (recent > RESTARTS_MAX) {
      throw coded('restarts_exceeded', { times: recent, seconds: RESTART_WINDOW_MS / 1_000, how })
    }
    const wait = 100 * 2 ** (recent - 1)
    this.say(red(`${how}; starting again in ${wait} ms`))
    await new Promise<void>((resolvePromise) => {
      const timer = setTimeout(resolvePromise, wait)
      this.endWait = () => {
        clearTimeout(timer)
        resolvePromise()
      }
    })
    return !this.stopping
  }

  private reasonOf({ code, signal }: Exit): string {
    const stall = readStall(this.options.root)
    // An older one may lie there, from a system that was started without a parent.
    if (stall === undefined || stall.pid !== this.child?.pid) {
      return `the system ended ${signal === null ? `with code ${code}` : `by ${signal}`}`
    }
    return `${describeStall(stall)}${isCertain(stall) ? '; it is off until its file changes' : ''}`
  }

  private say(line: string): void {
    if (this.prompt === undefined) print(line)
    else this.prompt.above(line)
  }

  private settled(status: KernelStatus | undefined): void {
    const first = !this.settledOnce
    this.settledOnce = true
    const services = Object.entries(status?.services ?? {})
    const live = services.filter(([, one]) => one.state === 'live')
    const others = services.filter(([, one]) => one.state !== 'live').map(([api, one]) => `${api} ${one.state}`)
    const address = readAddress(this.options.root)
    this.say('')
    this.say(
      `${bold('meta-machine')} ${status?.version ?? ''}  ${live.length} of ${services.length} services live${others.length === 0 ? '' : `  (${others.join(', ')})`}`,
    )
    this.say(dim(live.map(([api, one]) => `${api} g${one.generation}`).join('  ')))
    this.say(
      address === undefined ? red('no HTTP API: see above') : `${bold(address.url)}  token in ${address.token_file}`,
    )
    if (address !== undefined) this.say(`dashboard: ${dashboardOf(address)}`)
    if (first && this.options.repl && process.stdin.isTTY === true) {
      this.prompt = openPrompt(this.options.root, () => this.signal())
    }
  }

  private signal(): void {
    if (this.stopping) {
      this.child?.kill()
      return
    }
    this.stopping = true
    this.say(dim('stopping; once more to end at once'))
    this.endWait()
    void this.child?.stop(STOP_MS)
  }
}

/** With the token only where a person reads it: what a service manager writes down may be read by others. */
function dashboardOf({ url, token_file }: Address): string {
  if (process.stdout.isTTY !== true) return '`mm dashboard` opens it'
  try {
    return bold(dashboardUrl(url, readFileSync(token_file, 'utf8').trim()))
  } catch {
    return url
  }
}

function readStall(root: string): Stall | undefined {
  try {
    return parseStall(readFileSync(join(root, STALL_FILE), 'utf8'))
  } catch {
    return undefined
  }
}

export function addUp(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('up', { isDefault: true })
      .description('start the system (the default)')
      .option('--no-repl', 'no prompt: for servers')
      .option('--safe', 'kernel, http and filesystem only', false)
      .action(async (options: { repl: boolean; safe: boolean }) => setExitCode(await up({ ...common(), ...options }))),
    'nothing: it prints the log as lines until it ends',
  )
}

/**
 * One of the small peers as a process of its own: an own group, own folder, 256 MB of heap, an almost empty environment,
 * ended by its group. A peer that does not answer, or is gone, is a result.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Call, Delivery, Mutation, Outcome, Peer, PeerStatus, StartOptions, Subject } from './contract.ts'
import { LATE } from './drivers/driver.ts'
import { beginGroup, endProcess, groupCpuSeconds } from './processes.ts'
import { changedPath, linkPackages, packageRoot, writeSubject } from './root.ts'

const START_MS = 20_000
/** A delivery that takes longer has failed; the service is what it is. */
const DELIVER_MS = 2_000

type Reply = { id: number; ok: true; value?: unknown } | { id: number; ok: false; error: string }

export class ProcessPeer implements Peer {
  readonly name: string
  #child: ChildProcess | undefined
  #folder = ''
  #subject: Subject | undefined
  #candidate: string | undefined
  #next = 1
  readonly #waiting = new Map<number, (reply: Reply) => void>()

  constructor(name: 'naive' | 'import-first') {
    this.name = name
  }

  async start({ folder, secret, subject }: StartOptions): Promise<void> {
    this.#folder = folder
    this.#subject = subject
    writeSubject(folder, subject)
    linkPackages(folder)
    const program = join(packageRoot, 'bench', 'safe-evolve', 'peers', `${this.name}.ts`)
    const child = fork(program, [folder], {
      cwd: folder,
      detached: true,
      execArgv: ['--max-old-space-size=256', '--import', import.meta.resolve('tsx')],
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, APP_SECRET: secret },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    beginGroup(child.pid)
    child.on('error', () => undefined)
    child.on('message', (reply: Reply) => this.#waiting.get(reply.id)?.(reply))
    this.#child = child
    const ready = await this.#reply(0, START_MS)
    if (!ready.ok) throw new Error(`${this.name} does not start: ${ready.error}`)
  }

  async deliver(mutation: Mutation, text: string): Promise<Delivery> {
    writeFileSync(join(this.#folder, changedPath(mutation)), text)
    const { source, config } = this.#subject as Subject
    this.#candidate = mutation.file === 'config' ? `${source}\0${text}` : `${text}\0${config}`
    const reply = await this.#ask({ op: 'deliver', name: mutation.subject }, DELIVER_MS)
    if (reply.ok) return { verdict: 'promoted', by: null, message: '', live_at: performance.now() }
    return { verdict: 'refused', by: 'load', message: reply.error, live_at: null }
  }

  async call(call: Call, deadlineMs: number): Promise<Outcome> {
    const reply = await this.#ask({ op: 'call', call }, deadlineMs)
    return reply.ok ? { ok: true, value: reply.value } : { ok: false, error: reply.error }
  }

  async status(): Promise<PeerStatus> {
    const reply = await this.#ask({ op: 'status', name: this.#subject?.name }, 1_000)
    const loaded = reply.ok ? (reply.value as { loaded: string | null }).loaded : null
    return { up: loaded !== null, candidate: loaded !== null && loaded === this.#candidate }
  }

  cpuSeconds(): number {
    return groupCpuSeconds(this.#child?.pid ?? -1)
  }

  ledger(): Promise<null> {
    return Promise.resolve(null)
  }

  async stop(): Promise<void> {
    await endProcess(this.#child)
  }

  #ask(message: object, deadlineMs: number): Promise<Reply> {
    const id = this.#next++
    const reply = this.#reply(id, deadlineMs)
    if (this.#child?.connected === true) this.#child.send({ id, ...message }, () => undefined)
    return reply
  }

  /** Resolves in any case. */
  #reply(id: number, deadlineMs: number): Promise<Reply> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ id, ok: false, error: LATE }), deadlineMs)
      const settle = (reply: Reply): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(reply)
      }
      this.#waiting.set(id, settle)
    })
  }
}

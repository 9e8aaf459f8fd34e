/**
 * A real Chroma server for a test: `$CHROMA_URL`, or a process of our own on a free port of 127.0.0.1, which can be
 * killed and started again on its files. Where there is none, tests are skipped and say why; with CI=1 they fail.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A script without types. */
const SCRIPT: string = '../../scripts/chroma.mjs'
const { findChroma } = (await import(SCRIPT)) as { findChroma(): string[] | undefined }

const START_MS = 30_000
const ASK_MS = 50

const given = process.env['CHROMA_URL']
const command = given === undefined ? findChroma() : undefined
const isNeeded = process.env['CI'] !== undefined && process.env['CI'] !== '' && process.env['CI'] !== 'false'

/** A server can be had, or must be: without one the tests then fail. */
export const hasChroma = given !== undefined || command !== undefined || isNeeded
/** One that is ours to kill. */
export const ownsChroma = command !== undefined || (given === undefined && isNeeded)

if (!hasChroma)
  console.warn('skipped: no Chroma server here; set CHROMA_URL, or run `node scripts/chroma.mjs --fetch` once (110 MB)')

export class ChromaProcess {
  readonly host: string
  readonly port: number
  readonly #folder: string | undefined
  #child: ChildProcess | undefined

  private constructor(host: string, port: number, folder: string | undefined) {
    this.host = host
    this.port = port
    this.#folder = folder
  }

  static async start(): Promise<ChromaProcess> {
    if (given !== undefined) {
      const { hostname, port } = new URL(given)
      return new ChromaProcess(hostname, Number(port), undefined)
    }
    const chroma = new ChromaProcess('127.0.0.1', await freePort(), mkdtempSync(join(tmpdir(), 'mm-chroma-')))
    await chroma.run()
    return chroma
  }

  /** Lines of a config. */
  get config(): string {
    return `http_mode: true\nhost: ${this.host}\nport: ${this.port}\n`
  }

  /** Resolves when it answers. */
  async run(): Promise<void> {
    if (this.#folder === undefined) return
    const [program, ...first] = command ?? []
    if (program === undefined) throw new Error('no Chroma server here; run `node scripts/chroma.mjs --fetch`')
    const args = ['run', '--path', this.#folder, '--host', this.host, '--port', String(this.port)]
    const child = spawn(program, [...first, ...args], { stdio: 'ignore' })
    this.#child = child
    for (const until = Date.now() + START_MS; !(await this.#answers()); ) {
      if (child.exitCode !== null || Date.now() > until) throw new Error('the Chroma server does not start')
      await new Promise((resolve) => setTimeout(resolve, ASK_MS))
    }
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`http://${this.host}:${this.port}/api/v2/heartbeat`)).ok
    } catch {
      return false
    }
  }

  /** Without a warning, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** It holds its connections and answers nothing. */
  freeze(on: boolean): void {
    this.#child?.kill(on ? 'SIGSTOP' : 'SIGCONT')
  }

  async dispose(): Promise<void> {
    await this.kill()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/**
 * The system as a child process of `mm up`: started with an IPC channel and no stdin, stopped by message, killed only
 * past its deadline. Its output comes back line by line, so that a prompt can stay below it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const MM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../bin/mm.js' : '../../bin/mm.js', import.meta.url),
)

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface ChildOptions {
  root: string
  safe: boolean
  color: boolean
  onLine(line: string): void
  onMessage(message: { type?: string }): void
}

export class SystemChild {
  readonly exited: Promise<Exit>
  private readonly process: ChildProcess

  constructor(options: ChildOptions) {
    const args = [
      '--no-node-snapshot',
      MM,
      'run',
      '--child',
      '--root',
      options.root,
      ...(options.safe ? ['--safe'] : []),
    ]
    this.process = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, MM_COLOR: options.color ? '1' : '0' },
    })
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', options.onLine)
    }
    this.process.on('message', (message) => options.onMessage(message as { type?: string }))
    this.exited = new Promise((resolve) => {
      // 'close' comes after the last line of output.
      this.process.on('close', (code, signal) => resolve({ code, signal }))
      this.process.on('error', () => resolve({ code: 1, signal: null }))
    })
  }

  get pid(): number | undefined {
    return this.process.pid
  }

  /** Orderly within the deadline, by force after it. */
  async stop(deadlineMs: number): Promise<Exit> {
    if (this.process.connected) this.process.send({ shutdown: true, deadline_ms: deadlineMs })
    const force = setTimeout(() => this.kill(), deadlineMs + 2_000)
    try {
      return await this.exited
    } finally {
      clearTimeout(force)
    }
  }

  kill(): void {
    this.process.kill('SIGKILL')
  }
}

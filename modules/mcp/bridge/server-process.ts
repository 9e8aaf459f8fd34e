/**
 * An MCP server as a child process: messages as lines on its stdin and stdout. It runs in a process group of its own,
 * beside a guard: a shell that waits for its stdin to end and then ends the group. That is how a server is stopped, and
 * what happens by itself when this process is killed, so that nothing is left behind.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { reasonOf } from '../../lib/errors.ts'

/** `$0` is the group. What does not end when asked to is ended. */
const GUARD = 'read -r _; kill -TERM "-$0" && sleep 1 && kill -KILL "-$0"'
const WINDOWS = process.platform === 'win32'

export interface ProcessOptions {
  command: string
  args: string[]
  env: Record<string, string>
  cwd: string
  message_bytes_max: number
  onStderr(line: string): void
}

/** Parses what the server writes; the SDK's own, so that both sides read alike. */
export interface Lines {
  append(chunk: Buffer): void
  readMessage(): JSONRPCMessage | null
}

export class ServerProcess implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  private readonly options: ProcessOptions
  private readonly lines: Lines
  private child: ChildProcess | undefined
  private guard: ChildProcess | undefined
  private ended = false
  /** why it ended, once it has */
  reason = ''

  constructor(options: ProcessOptions, lines: Lines) {
    this.options = options
    this.lines = lines
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  /** Rejects when the command cannot be run. */
  async start(): Promise<void> {
    const { command, args, env, cwd, onStderr } = this.options
    const child = spawn(command, args, { env, cwd, stdio: 'pipe', detached: !WINDOWS, windowsHide: true })
    this.child = child
    child.on('close', (code, signal) => this.end(`it ended ${signal === null ? `with code ${code}` : `by ${signal}`}`))
    child.stdin.on('error', (error) => this.end(reasonOf(error)))
    child.stdout.on('data', (chunk: Buffer) => this.read(chunk))
    createInterface({ input: child.stderr }).on('line', onStderr)
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.on('error', (error) => this.end(reasonOf(error)))
    if (!WINDOWS) this.guard = guardOf(child.pid ?? 0)
  }

  private read(chunk: Buffer): void {
    try {
      this.lines.append(chunk)
    } catch {
      this.end(`it sent a message of more than ${this.options.message_bytes_max} bytes`)
      return
    }
    for (let more = !this.ended; more; ) {
      try {
        const message = this.lines.readMessage()
        more = message !== null
        if (message !== null) this.onmessage?.(message)
      } catch (thrown) {
        // A line that is no message, as of a server that prints where it should not.
        this.onerror?.(thrown as Error)
      }
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.child ?? {}
    if (this.ended || stdin === null || stdin === undefined) throw new Error('it has ended')
    await new Promise<void>((resolve, reject) => {
      stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
    })
  }

  async close(): Promise<void> {
    this.end('it was closed')
  }

  private end(reason: string): void {
    if (this.ended) return
    this.ended = true
    this.reason = reason
    this.child?.stdin?.destroy()
    if (this.guard === undefined) this.child?.kill()
    // Also after its own end: what it has started itself may still be there.
    this.guard?.stdin?.end()
    this.onclose?.()
  }
}

function guardOf(group: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD, String(group)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guard.on('error', () => undefined)
  guard.stdin?.on('error', () => undefined)
  return guard
}

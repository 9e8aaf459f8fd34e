/**
 * A change as a commit on a branch of its own, made from objects and an index beside the repository's: neither the files
 * that stand there, nor what is staged, nor the branch that is checked out, is touched. Git is run with arguments, never
 * through a shell; it asks nobody for anything.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProposedEdit } from '../../contracts/proposals.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import type { Config } from './config.ts'

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024
const SAID_CHARS = 500
const PLAIN_FILE = '100644'

export interface Author {
  author: string
  email: string
}

interface GitOptions {
  input?: string
  env?: Record<string, string>
}

export class Repository {
  readonly #root: string
  readonly #config: Config

  constructor(root: string, config: Config) {
    this.#root = root
    this.#config = config
  }

  /** The branch that is checked out; undefined: none is. */
  async current(): Promise<string | undefined> {
    return this.#run(['symbolic-ref', '--short', 'HEAD']).catch(() => undefined)
  }

  /** Rejects with `git_failed`, and with `branch_base` where the commit holds another text than the change was made from. */
  async commit(branch: string, base: string, edits: readonly ProposedEdit[], message: string): Promise<string> {
    const from = await this.#run(['rev-parse', '--verify', '--end-of-options', `${base}^{commit}`])
    const prefix = await this.#run(['rev-parse', '--show-prefix'])
    const folder = mkdtempSync(join(tmpdir(), 'mm-index-'))
    const index = { env: { GIT_INDEX_FILE: join(folder, 'index') } }
    try {
      await this.#run(['read-tree', from], index)
      for (const { path, base_hash, text } of edits) {
        const place = prefix + path
        const [mode, was] = await this.#fileIn(from, place)
        if (was !== base_hash) throw coded('branch_base', { path, base })
        if (text === null) await this.#run(['update-index', '--force-remove', '--', place], index)
        else {
          const blob = await this.#run(['hash-object', '-w', '--stdin'], { input: text })
          await this.#run(['update-index', '--add', '--cacheinfo', `${mode},${blob},${place}`], index)
        }
      }
      const tree = await this.#run(['write-tree'], index)
      const commit = await this.#run(['commit-tree', tree, '-p', from], { input: message, env: this.#author() })
      // Zeros: only where there is no such branch yet.
      await this.#run(['update-ref', `refs/heads/${branch}`, commit, '0'.repeat(commit.length)])
      return commit
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** The token goes by the environment: arguments of a process can be read by others. */
  async push(branch: string, token: string | undefined): Promise<void> {
    const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token ?? ''}`).toString('base64')}`
    const env =
      token === undefined
        ? {}
        : { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.extraHeader', GIT_CONFIG_VALUE_0: header }
    await this.#run(['push', '--quiet', this.#config.remote, `refs/heads/${branch}:refs/heads/${branch}`], { env })
  }

  /** Its mode and the hash of its text; without a file, those of a new one. */
  async #fileIn(commit: string, place: string): Promise<[mode: string, hash: string | null]> {
    const line = await this.#run(['ls-tree', '--full-tree', commit, '--', place])
    const [, mode, blob] = /^(\d+) blob ([0-9a-f]+)\t/.exec(line) ?? []
    if (mode === undefined || blob === undefined) return [PLAIN_FILE, null]
    return [mode, shortHash(await this.#bytes(['cat-file', 'blob', blob]))]
  }

  #author(): Record<string, string> {
    const { author, email } = this.#config
    return { GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: author, GIT_COMMITTER_EMAIL: email }
  }

  async #run(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.#bytes(args, options)).toString('utf8').trim()
  }

  #bytes(args: readonly string[], { input, env = {} }: GitOptions = {}): Promise<Buffer> {
    const [command = ''] = args
    return new Promise((resolve, reject) => {
      const child = execFile(
        'git',
        // What a repository asks to be run, as hooks, is not run.
        ['-C', this.#root, '-c', 'core.hooksPath=/dev/null', ...args],
        {
          encoding: 'buffer',
          timeout: this.#config.git_ms,
          killSignal: 'SIGKILL',
          maxBuffer: OUTPUT_BYTES_MAX,
          env: { ...process.env, GIT_TERMINAL_PROMPT: '0', ...env },
        },
        (failure, stdout, stderr) => {
          if (failure === null) return resolve(stdout)
          const said = stderr.toString('utf8').trim() || failure.message
          const reason = said.slice(0, SAID_CHARS)
          return reject(coded('git_failed', { command, reason }, {}, failure))
        },
      )
      // A git that ends before it has read all of it says why by itself.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(input ?? '')
    })
  }
}

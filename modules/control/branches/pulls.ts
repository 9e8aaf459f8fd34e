/** Draft pull requests, by the REST API that GitHub and those like it have. Only what was opened for a branch is looked for again. */
import { coded, reasonOf } from '../../lib/errors.ts'
import type { Config } from './config.ts'

const SAID_CHARS = 500

export interface Pull {
  number: number
  html_url: string
}

export interface PullInput {
  title: string
  body: string
  /** the branch */
  head: string
  base: string
}

export class Pulls {
  readonly #config: Config
  readonly #repo: string
  readonly #token: string

  constructor(config: Config, repo: string, token: string) {
    this.#config = config
    this.#repo = repo
    this.#token = token
  }

  /** The one that is there for this branch, or a new one. Rejects with `pull_failed`. */
  async open(input: PullInput): Promise<Pull> {
    const [owner] = this.#repo.split('/')
    const query = new URLSearchParams({ head: `${owner}:${input.head}`, state: 'all' })
    const [known] = (await this.#ask('GET', `pulls?${query.toString()}`)) as Pull[]
    return known ?? ((await this.#ask('POST', 'pulls', { ...input, draft: true })) as Pull)
  }

  async comment(number: number, body: string): Promise<void> {
    await this.#ask('POST', `issues/${number}/comments`, { body })
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const { api_url, request_ms } = this.#config
    const failed = (reason: string, cause?: unknown): Error =>
      coded('pull_failed', { repo: this.#repo, reason: reason.slice(0, SAID_CHARS) }, {}, cause)
    let response: Response
    let text: string
    try {
      response = await fetch(`${api_url}/repos/${this.#repo}/${path}`, {
        method,
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${this.#token}`,
          'user-agent': 'meta-machine',
          'x-github-api-version': '2022-11-28',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A token is not shown to whoever the answer points to.
        redirect: 'error',
        signal: AbortSignal.timeout(request_ms),
      })
      text = await response.text()
    } catch (thrown) {
      throw failed(reasonOf(thrown), thrown)
    }
    if (!response.ok) throw failed(`${response.status} ${text}`)
    try {
      return JSON.parse(text)
    } catch (thrown) {
      throw failed(`an answer that is no JSON: ${text}`, thrown)
    }
  }
}

/** Approved changes as branches: a real repository, a real remote, and a REST API of its own on this machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { BranchesApi, BranchRecord } from '../../../modules/contracts/branches.ts'
import type { LedgerApi } from '../../../modules/contracts/ledger.ts'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import { answering, startGate, type Gate } from '../rollouts/gate.ts'

interface Request {
  method: string
  path: string
  token: string
  body: Record<string, unknown>
}

const SHOP = 'modules/shop.mjs'
const NEXT = answering(4, 'new')
let gate: Gate
let remote: string
let requests: Request[] = []
let status = 201
let server: Server

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', gate.root.path, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
const branches = () => gate.system.getApi<BranchesApi>('branches')

beforeEach(async () => {
  requests = []
  status = 201
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
      requests.push({ method, path: url, token: headers.authorization ?? '', body })
      response.writeHead(method === 'GET' ? 200 : status, { 'content-type': 'application/json' })
      response.end(method === 'GET' ? '[]' : JSON.stringify({ number: 7, html_url: 'https://git.test/pull/7' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  remote = mkdtempSync(join(tmpdir(), 'mm-remote-'))
  execFileSync('git', ['init', '--quiet', '--bare', remote])
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await gate.stop()
  server.close()
  rmSync(remote, { recursive: true })
})

async function start(config: string): Promise<void> {
  gate = await startGate({ '.gitignore': 'runtime/\n' })
  git('init', '--quiet', '-b', 'trunk')
  git('add', '-A')
  git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '-m', 'as it was')
  git('remote', 'add', 'origin', remote)
  gate.root.write('configs/branches.yml', `prog: control/branches\n${config}`)
  await gate.system.live('branches')
}

const withPulls = (): string => {
  vi.stubEnv('TEST_TOKEN', 'a-token')
  const { port } = server.address() as AddressInfo
  return `changes: all\nrepo: owner/name\ntoken_env: TEST_TOKEN\napi_url: 'http://127.0.0.1:${port}'\n`
}

const approved = async (): Promise<Proposal> => {
  const proposal = await gate.approve(await gate.propose(SHOP, NEXT, { title: 'Answer: sooner!' }))
  expect(proposal.state).toBe('watching')
  return proposal
}
const made = async (type: string): Promise<Record<string, unknown>> => (await gate.system.happened(type)).data

it('an approved change is a commit on a branch of its own; what is checked out, staged and written stays', async () => {
  await start('changes: all\n')
  const head = git('rev-parse', 'HEAD')
  gate.root.write('configs/shop.yml', '# not committed\n')
  gate.root.write('staged.txt', 'staged\n')
  git('add', 'staged.txt')
  const { id } = await approved()
  const { branch, commit } = (await made('branch.made')) as unknown as BranchRecord
  expect(branch).toBe(`mm/${id}-answer-sooner`)
  expect(git('rev-parse', branch)).toBe(commit)
  expect(git('rev-parse', `${branch}^`)).toBe(head)
  expect(git('diff', '--name-status', 'HEAD', branch)).toBe(`M\t${SHOP}`)
  expect(`${git('show', `${branch}:${SHOP}`)}\n`).toBe(NEXT)
  expect(git('log', '-1', '--format=%an: %B', branch)).toMatch(
    /^meta-machine: Answer: sooner!\n\nmake it better\n\nProposed as c1 by improver, approved by ada\./,
  )
  expect([git('rev-parse', 'HEAD'), git('symbolic-ref', 'HEAD')]).toEqual([head, 'refs/heads/trunk'])
  expect(git('diff', '--cached', '--name-only')).toBe('staged.txt')
  expect(await branches().list()).toMatchObject({ branches: [{ id, branch, commit, pull: null }] })
  expect(requests).toEqual([])
  const entries = await gate.system.getApi<LedgerApi>('ledger').read({ cycle: id, limit: 100 })
  expect(entries.find(({ action }) => action === 'branch_made')).toMatchObject({ actor: 'ada', outcome: 'ok' })
  expect(await branches().make(id)).toMatchObject({ commit })
  expect(git('branch', '--list', 'mm/*').split('\n').length).toBe(1)
})

it('with a repository and a token it is pushed, and a draft pull request opened; taken back, its readers are told', async () => {
  await start(withPulls())
  const { id } = await approved()
  const told = await made('branch.proposed')
  expect(told).toMatchObject({ id, branch: 'mm/c1-answer-sooner', url: 'https://git.test/pull/7' })
  const [asked, opened] = requests
  expect(asked).toMatchObject({ method: 'GET', path: expect.stringContaining('head=owner%3Amm%2Fc1-answer-sooner') })
  expect(opened).toMatchObject({ method: 'POST', path: '/repos/owner/name/pulls', token: 'Bearer a-token' })
  expect(opened?.body).toMatchObject({
    title: 'Answer: sooner!',
    head: 'mm/c1-answer-sooner',
    base: 'trunk',
    draft: true,
    body: expect.stringContaining('approved by ada'),
  })
  const pushed = execFileSync('git', ['-C', remote, 'rev-parse', 'mm/c1-answer-sooner'], { encoding: 'utf8' }).trim()
  expect(pushed).toBe(git('rev-parse', 'mm/c1-answer-sooner'))
  expect(await branches().list()).toMatchObject({ branches: [{ pull: { number: 7 } }] })
  await gate.rollouts.undo(id, { by: 'ada', reason: 'not now' })
  await expect.poll(() => requests.at(-1)?.path).toBe('/repos/owner/name/issues/7/comments')
  expect(requests.at(-1)?.body['body']).toMatch(/undone: ada took it back: not now/)
})

it('a pull request that cannot be opened leaves the branch, and is opened when it is asked for again', async () => {
  await start(withPulls())
  status = 422
  const { id } = await approved()
  expect(await made('branch.failed')).toMatchObject({ id, reason: expect.stringContaining('owner/name') })
  await expect(branches().make(id)).rejects.toMatchObject({ code: 'pull_failed' })
  expect(git('branch', '--list', 'mm/*')).not.toBe('')
  status = 201
  expect(await branches().make(id)).toMatchObject({ pull: { number: 7, url: 'https://git.test/pull/7' } })
})

it('what nobody approved, what is another file in git, and what is not the package’s becomes no branch', async () => {
  await start('changes: all\n')
  const waiting = await gate.propose(SHOP, NEXT)
  await expect(branches().make(waiting.id)).rejects.toMatchObject({ code: 'branch_refused' })
  await expect(branches().make('c99')).rejects.toMatchObject({ code: 'proposal_missing' })
  const other = answering(6, 'by hand')
  gate.root.write(SHOP, other)
  await gate.system.live('shop', 2)
  const late = await gate.approve(await gate.propose(SHOP, answering(3, 'later')))
  expect(late.state).toBe('watching')
  await expect(branches().make(late.id)).rejects.toMatchObject({ code: 'branch_base' })
  gate.root.write('configs/branches.yml', 'prog: control/branches\n')
  await gate.system.live('branches', 2)
  await expect(branches().make(late.id)).rejects.toMatchObject({ code: 'branch_refused' })
  expect(git('branch', '--list', 'mm/*')).toBe('')
})

it('what was missed is made at the next start; a root without git says so', async () => {
  await start('changes: all\nbase: nowhere\n')
  const { id } = await approved()
  expect(await made('branch.failed')).toMatchObject({ id, reason: expect.stringContaining('git rev-parse failed') })
  await expect(branches().make(id)).rejects.toMatchObject({ code: 'git_failed' })
  gate.root.write('configs/branches.yml', 'prog: control/branches\nchanges: all\n')
  expect(await made('branch.made')).toMatchObject({ id, branch: 'mm/c1-answer-sooner' })
})

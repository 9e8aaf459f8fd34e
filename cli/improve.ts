/** `mm improve`: a model is asked to change a service; what it answers is checked, and what passes waits for a person. */
import type { Command } from 'commander'
import type { Attempt, Improvement } from '../modules/contracts/proposals.ts'
import { coded } from '../modules/lib/errors.ts'
import type { ApiInput } from './api.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { dim, green, print, printJson, red } from './output.ts'

const LOOK_MS = 500

interface ImproveOptions {
  goal?: string
  budget?: string
  tries?: string
  provider?: string
  list: boolean
  show?: string
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const showImprovement = (client: Client, id: string): Promise<Improvement> =>
  client.ask('GET /api/improve/{id}', { params: { id } })

async function improve(
  { root, json }: Common,
  service: string | undefined,
  options: ImproveOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const client = new Client(root)
  if (options.list) {
    const query = service === undefined ? {} : { service }
    const { improvements } = await client.ask('GET /api/improve', { query })
    if (json) printJson(improvements)
    else for (const one of improvements) print(lineOf(one))
    return
  }
  const begun =
    options.show === undefined
      ? await client.ask('POST /api/improve', { body: requestOf(service, options) })
      : await showImprovement(client, options.show)
  const done = options.show === undefined ? await followed(client, begun, json) : begun
  if (json) printJson(done)
  else if (options.show !== undefined) for (const one of done.attempts) print(attemptText(one))
  if (!json) print(lineOf(done))
  if (options.show === undefined && done.state !== 'submitted') setExitCode(1)
}

function requestOf(
  service: string | undefined,
  { goal, budget, tries, provider }: ImproveOptions,
): ApiInput<'POST /api/improve'>['body'] {
  if (service === undefined || goal === undefined)
    throw coded('usage', { reason: 'mm improve SERVICE --goal "what should become better"' })
  return {
    service,
    goal,
    ...(budget === undefined ? {} : { budget_usd: Number(budget) }),
    ...(tries === undefined ? {} : { tries: Number(tries) }),
    ...(provider === undefined ? {} : { provider }),
  }
}

/** Prints each attempt when it has ended. */
async function followed(client: Client, begun: Improvement, json: boolean): Promise<Improvement> {
  let told = 0
  for (;;) {
    const now = await showImprovement(client, begun.id)
    if (!json) for (const one of now.attempts.slice(told)) print(attemptText(one))
    told = now.attempts.length
    if (now.state !== 'running') return now
    await pause(LOOK_MS)
  }
}

export function attemptText({ number, outcome, refused_by, message, evidence }: Attempt): string {
  const passed = evidence.filter((one) => one.outcome === 'passed').map(({ check }) => check)
  const verdict = outcome === 'submitted' ? green('proposed') : red(outcome)
  const by = refused_by === null ? '' : ` by ${refused_by}`
  return `${number}. ${verdict}${by}: ${message}\n   ${dim(passed.length === 0 ? '' : `passed: ${passed.join(', ')}`)}`
}

const lineOf = ({ id, service, state, message, cost_usd, proposal_id }: Improvement): string =>
  `${id}  ${service}  ${state}${proposal_id === null ? '' : `  ${proposal_id}`}  ${dim(`$${cost_usd}`)}  ${message}`

export function addImprove(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('improve [service]')
      .description('let a model improve a service; what passes the checks waits for a person (`mm approvals`)')
      .option('--goal <text>', 'what should become better, and what must not change')
      .option('--budget <dollars>', 'what it may cost')
      .option('--tries <number>', 'answers of the model at most')
      .option('--provider <service>', 'who is asked; default: the first that is ready')
      .option('--list', 'improvements so far', false)
      .option('--show <id>', 'one of them, with what each answer was refused for')
      .action((service: string | undefined, options: ImproveOptions) =>
        improve(common(), service, options, setExitCode),
      ),
    '{id, service, goal, state, attempts, proposal_id, cost_usd, message, started_at, ended_at}',
  )
}

/** What the form that asks for an improvement holds, what is wrong with it, and the command that asks the same. Pure. */
import type { ApiInput } from '../../../../cli/api.ts'
import { commandOf, type Command } from '../../commands.ts'

type Body = NonNullable<ApiInput<'POST /api/improve'>['body']>

export interface Wish {
  service: string
  goal: string
  /** who is asked; empty: the first that is ready */
  provider: string
  budget: string
  tries: string
}

/** Undefined: it can be asked. */
export function faultOf({ service, goal, budget, tries }: Wish, names: readonly string[]): string | undefined {
  if (service === '') return 'Name a service.'
  if (!names.includes(service)) return `There is no service ${service}.`
  if (goal.trim() === '') return 'Say what should become better.'
  if (budget !== '' && !(Number(budget) > 0)) return 'The budget is a number of dollars.'
  if (tries !== '' && !(Number.isInteger(Number(tries)) && Number(tries) > 0)) return 'Answers are a whole number.'
  return undefined
}

/** The command that asks the same. */
export const wishCommand = ({ service, ...more }: Wish): Command =>
  commandOf('improve', { ...more, service: service === '' ? 'SERVICE' : service })

/** The body of the request. */
export const wishBody = ({ service, goal, provider, budget, tries }: Wish): Body => ({
  service,
  goal,
  ...(provider === '' ? {} : { provider }),
  ...(budget === '' ? {} : { budget_usd: Number(budget) }),
  ...(tries === '' ? {} : { tries: Number(tries) }),
})

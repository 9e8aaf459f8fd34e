/** What the form that asks for an improvement holds, what is wrong with it, and the command that asks the same. Pure. */

export interface Wish {
  service: string
  goal: string
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

/** As it is typed. */
export function commandOf({ service, goal, budget, tries }: Wish): string {
  const more = [budget === '' ? '' : ` --budget ${budget}`, tries === '' ? '' : ` --tries ${tries}`].join('')
  return `mm improve ${service === '' ? 'SERVICE' : service} --goal "${goal.replaceAll('"', '\\"')}"${more}`
}

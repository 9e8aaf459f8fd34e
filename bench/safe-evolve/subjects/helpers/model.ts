/** Stands for a language model that knows three sentences: `say …`, `add A B`, `fact NAME`. */
interface Message {
  role: string
  text: string
}

export class Module {
  async next(messages: readonly Message[]): Promise<{ text: string } | { tool: string; args: string[] }> {
    const last = messages.at(-1)
    if (last === undefined) return { text: '' }
    if (last.role === 'tool') return { text: `It is ${last.text}` }
    const [verb = '', ...rest] = last.text.trim().split(/\s+/)
    return verb === 'add' || verb === 'fact' ? { tool: verb, args: rest } : { text: rest.join(' ') }
  }
}

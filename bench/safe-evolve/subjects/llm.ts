/** Answers a prompt with the service `model`, which may ask for the tools `add` and `fact` before it answers. */
import type { KernelApi } from 'meta-machine'

interface Message {
  role: 'user' | 'assistant' | 'tool'
  text: string
}

type Step = { text: string } | { tool: string; args: string[] }

interface Model {
  next(messages: readonly Message[]): Step
}

const STEPS_MAX = 4

export class Module {
  static needs = ['model', 'facts']
  readonly #kernel: KernelApi
  #answered = 0

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  async complete(prompt: string): Promise<{ text: string; steps: number; words: number }> {
    if (prompt.trim() === '') throw new Error('the prompt is empty')
    const messages: Message[] = [{ role: 'user', text: prompt }]
    for (let steps = 1; steps <= STEPS_MAX; steps++) {
      const step = await this.#kernel.getApi<Model>('model').next(messages)
      if ('text' in step) {
        this.#answered++
        return { text: step.text, steps, words: this.count(step.text) }
      }
      const result = await this.#use(step.tool, step.args)
      messages.push({ role: 'assistant', text: `${step.tool} ${step.args.join(' ')}` }, { role: 'tool', text: result })
    }
    throw new Error(`no answer within ${STEPS_MAX} steps`)
  }

  /** Words of a text. */
  count(text: string): number {
    return text === '' ? 0 : text.split(' ').length
  }

  async #use(name: string, args: readonly string[]): Promise<string> {
    switch (name) {
      case 'add':
        return String(args.map(Number).reduce((a, b) => a + b, 0))
      case 'fact':
        return this.#kernel.getApi<{ about(name: string): string }>('facts').about(args[0] ?? '')
      default:
        return `there is no tool ${name}`
    }
  }

  answered(): number {
    return this.#answered
  }

  async *stream(prompt: string): AsyncGenerator<string> {
    const { text } = await this.complete(prompt)
    for (const word of text.split(' ')) yield word
  }
}

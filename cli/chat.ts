/** `mm chat`: one message to the assistant, or a conversation at a terminal. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { printJson } from './output.ts'
import { ask, createScreen, openPrompt, type ChatChoice } from './prompt.ts'

async function chat({ root, json }: Common, message: string, choice: ChatChoice): Promise<void> {
  const client = new Client(root)
  if (json) {
    const { conversation: conversation_id, provider } = choice
    printJson(await client.post('/api/chat', { message, conversation_id, provider }))
    return
  }
  const screen = createScreen((text) => process.stdout.write(text))
  await ask(client, message, { ...choice, screen }).finally(() => screen.endLine())
}

async function converse(root: string, choice: ChatChoice): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw coded('usage', { reason: 'Write the message after `mm chat`, or use a terminal' })
  if (!existsSync(root)) throw coded('root_missing', { root, part: 'folder' })
  void new Client(root)
  await new Promise<void>((done) => {
    const prompt = openPrompt(
      root,
      () => {
        prompt.close()
        done()
      },
      choice,
    )
  })
}

export function addChat(program: Command, { common }: Cli): void {
  prints(
    program
      .command('chat [message...]')
      .description('ask the assistant; without a message, a conversation')
      .option('--provider <service>', 'the inference service that answers')
      .option('--conversation <id>', 'the conversation to go on with')
      .action(async (words: string[], choice: ChatChoice) => {
        if (words.length > 0) await chat(common(), words.join(' '), choice)
        else await converse(common().root, choice)
      }),
    '{conversation_id, answer, status, provider, model, steps, prompt_hash, usage, reason?, approval_id?}',
  )
}

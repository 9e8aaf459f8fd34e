/** The command that does the same as what stands beside it, to be copied. */
import { useState } from 'preact/hooks'
import type { Command } from '../commands.ts'
import { Button } from './button.tsx'

export interface CommandLineProps {
  command: Command
}

const SAID_MS = 2_000

export function CommandLine({ command: { text } }: CommandLineProps) {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), SAID_MS)
  }
  return (
    <span class="command">
      <code>{text}</code>
      <Button
        kind="quiet"
        label={copied ? 'Copied' : `Copy ${text}`}
        onClick={() => void copy().catch(() => undefined)}
      >
        {copied ? '✓' : <CopySign />}
      </Button>
    </span>
  )
}

/** Drawn: not every machine has a letter for it. */
const CopySign = () => (
  <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
    <path d="M4.5 4.5h7v7h-7zM7.5 4V.5h-7v7H4" fill="none" stroke="currentColor" />
  </svg>
)

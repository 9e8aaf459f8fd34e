/** Mounts the dashboard. */
import { render } from 'preact'
import { App } from './app.tsx'
import { startTheme } from './theme.ts'

startTheme()
const place = document.querySelector('#app')
if (place !== null) render(<App />, place)

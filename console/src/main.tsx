import { render } from 'preact';
import { App } from './app.tsx';
import './styles/colours.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/forms.css';
import './styles/stories.css';

const place = document.getElementById('console');
if (place !== null) render(<App />, place);

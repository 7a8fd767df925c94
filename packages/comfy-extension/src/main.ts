import { api } from 'comfyui/scripts/api.js';
import { app } from 'comfyui/scripts/app.js';

import { createExtension } from './editor/extension.ts';

app.registerExtension(createExtension(app, api));

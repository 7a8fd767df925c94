import type { Settings } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { RequestHandler } from 'express';

export interface SettingsDeps {
  told: {
    settings: readonly (Omit<Settings['settings'][number], 'group'> & {
      section: string;
      /** May be a path of this machine, and stays here. */
      from: string;
    })[];
    warnings: readonly string[];
  };
  requireOperator: RequestHandler;
}

/** `GET /api/bridge/settings`, for operators: what this bridge was started with; of secrets only that there is one. */
export function createSettingsRoutes({ told, requireOperator }: SettingsDeps): Router {
  const router = Router();
  router.get('/api/bridge/settings', requireOperator, (_request, response) => {
    const settings: Settings = {
      settings: told.settings.map(({ section, from: _file, ...setting }) => ({ ...setting, group: section })),
      warnings: [...told.warnings],
    };
    response.json(settings);
  });
  return router;
}

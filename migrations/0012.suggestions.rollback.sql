drop table ai_suggestions;

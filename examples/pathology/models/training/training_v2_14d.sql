{{ training_set('labels_v2', 14) }}

{{ training_set('labels_v1', 14) }}

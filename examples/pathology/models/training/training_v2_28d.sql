{{ training_set('labels_v2', 28) }}
